"""The extraction engine: complete, in order, each event once.

It knows neither HTTP nor Singer. A run of a feed goes this way:

- `observation` sees in what order pages come, and where events are;
- `planning` cuts the time range into `windows`, and says which is read next;
- `paging` reads one window by cursor to its end, and guards what comes;
- `reader` has many windows read in parallel, and hands them on oldest first;
- a `range_read` is either an `incremental` read, which moves the `position`, or a
  `scan` for late arrivals; it emits what is not `known` by its `recent_ids` or its
  `cells`, nor among the `emitted_ids` of the other feed, and counts it in `days`;
- `extract` runs a read, with a checkpoint now and then;
- `report` counts what was asked, read, emitted and late.

Nothing here believes in an order of the API's pages. A window is complete when it was
read by its own cursor to the end, and only then is it emitted. What pages show of the
order is used to guess densities: a wrong guess costs requests, never events.
"""

from __future__ import annotations
