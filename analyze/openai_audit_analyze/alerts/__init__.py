"""Tell people of findings: each finding once to each receiver, from an outbox.

A run goes downwards: settings → outbox → message → receiver. The outbox is a table in
the warehouse beside the findings; it alone knows what was sent.
"""

from __future__ import annotations
