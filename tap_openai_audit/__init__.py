"""Singer tap for the audit logs of an OpenAI organization."""

from __future__ import annotations
