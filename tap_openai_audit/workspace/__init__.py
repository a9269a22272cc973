"""The engine for events that come as files: complete, in order, each event once.

It knows neither HTTP nor Singer. A run of a feed goes this way:

- `listing` reads which files there are, page by page, and checks the pages;
- `verified` downloads a file until nobody can take a cut transfer for it;
- `in_order` has several downloaded at the same time, and hands them on as listed;
- `feed` emits their events, with a checkpoint now and then;
- `position` says where the next run begins, by `hashes` of files and of events;
- `reports` counts what a file holds, and what was emitted of it.

Files are immutable, and an event may stand in several of them. `log_files` says what is
known of a file, and what the engine asks of an API.
"""

from __future__ import annotations
