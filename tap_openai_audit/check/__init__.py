"""`--check`: a few real requests that tell whether a sync would work.

- `probes` asks the API;
- `conclusions` says what it shows means, and how sure that is;
- `checks` is the order in which that happens;
- `findings` tells it to people and machines.

The first request is the one that a sync begins with, so what refuses it refuses a sync
in the same words. The others look for reasons why a sync would bring less than
expected. All of them together take a minute at the most, even if the API hangs.

The exit code is 1 where a sync would fail, and where the log is empty although it
should not be: such a sync ends well and brings nothing, for ever. All else that is
worth a look is a warning, with exit code 0: a log that may be empty for a good reason,
filters that match nothing, tenant events that are refused, a wrong clock.
"""

from __future__ import annotations
