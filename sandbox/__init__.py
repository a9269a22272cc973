"""A local stand-in for OpenAI's Admin API and its Compliance Logs Platform.

For demos, tests and benchmarks. Three rooms: `organization` invents what happened,
`server` answers as the APIs do, and `demo` shows the tap at work with both. Behaviours
and faults are switched on through the control endpoints below ``/_control``. Nothing in
it talks to OpenAI.
"""

from __future__ import annotations
