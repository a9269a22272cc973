"""The extraction engine: complete, in order, each event once.

It knows neither HTTP nor Singer. A run goes this way:

- `observation` sees in what order pages come, and how dense events are;
- `splitting` cuts the time range into `windows`, and `plan` says which is read next;
- `reading` reads one window by cursor to its end and guards what comes;
- `reader` has many windows read in parallel and hands them on oldest first;
- `passes` sifts what was emitted before, and moves the bookmark;
- `extract` runs one pass, with a checkpoint now and then;
- `lookback` keeps the ids that a later run must not emit again;
- `report` counts what was asked, read, emitted and late.

Nothing here believes in an order of the API's pages. A window is complete when it was
read by its own cursor to the end, and only then is it emitted. What pages show of the
order is used to guess densities: a wrong guess costs requests, never events.
"""

from __future__ import annotations
