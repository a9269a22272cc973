"""The extraction engine: complete, in order, each event once.

It knows neither HTTP nor Singer. A run of a scope goes this way:

- `observation` sees in what order pages come, and where events are;
- `planning` cuts the time range into `windows`, and says which is read next;
- `paging` reads one window by cursor to its end, and guards what comes;
- `reader` has many windows read in parallel, and hands them on oldest first;
- a `look` is either the regular one, `incremental`, which keeps the `position`, or a
  `deep_look` at whole days; `sifting` tells what of it was emitted before, by the
  `sketch` of the last run and the `emitted_ids` of this one;
- `known_so_far` keeps in step what is known: a sketch of `buckets`, which `merging`
  makes fit, in a compact `bucket_encoding`, and, of what is older, counts of `days`;
- `extract` runs a look, with a checkpoint now and then;
- `report` counts what was asked, read, emitted and late.

Nothing here believes in an order of the API's pages. A window is complete when it was
read by its own cursor to the end, and only then is it emitted. What pages show of the
order is used to guess densities: a wrong guess costs requests, never events.
"""

from __future__ import annotations
