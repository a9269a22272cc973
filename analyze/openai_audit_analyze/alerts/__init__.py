"""Send each finding once to each receiver, from an outbox in the warehouse.

A run goes downwards: settings → outbox → message → receiver. The outbox is a table
beside the findings; nothing else remembers what was sent.
"""

from __future__ import annotations
