"""The edge to OpenAI's Admin API. It knows HTTP, and nothing of Singer.

- `transport` makes one request and gives a `response`, bounded in size, which
  `deadline` bounds in time;
- `client` repeats it as long as that can help, at the `pace` of all workers;
- `not_answered` and `error_responses` tell what went wrong with a request;
- `bodies` reads what a body holds, `envelopes` the parts of lists;
- `audit_log` gives the engine its pages, `listing` pages the reference endpoints, of
  which `parallel` reads many at the same time.
"""

from __future__ import annotations
