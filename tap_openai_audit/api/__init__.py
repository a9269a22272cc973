"""The edge to OpenAI's Admin API. It knows HTTP, and nothing of Singer.

- `transport` makes one request, which `deadline` ends in time;
- `client` repeats it as long as that can help, at the pace that `pace` allows;
- `responses` and `failures` tell what went wrong with a request, `refusals` says what
  that means and what to do;
- `bodies` reads what a body holds;
- `audit_log` gives the engine its pages, `listing` pages the reference endpoints.
"""

from __future__ import annotations
