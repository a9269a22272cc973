"""The edge to OpenAI's Admin API. It knows HTTP, and nothing of Singer.

- `transport` makes one request and gives a `response`, bounded in size, which
  `deadline` bounds in time;
- `client` repeats it as long as that can help, at the `pace` of all workers, and gives
  up where the `refusals` of the API last too long;
- `no_response` and `error_responses` say what went wrong with a request, and `causes`
  what that means;
- `bodies` reads what a body holds, `envelopes` the parts of lists.
"""

from __future__ import annotations
