"""A local stand-in for OpenAI's Admin API, for demos, tests and benchmarks.

It serves a synthetic organization: audit logs of both scopes and the reference
endpoints that resolve their ids. Behaviours and faults are switched on through the
control endpoints below ``/_control``. Nothing in it talks to OpenAI.
"""

from __future__ import annotations
