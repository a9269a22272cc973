"""`--check`: a few real requests that tell whether a sync would work.

- `run` does the checks of a tap, and prints what they found;
- `checks` are those of an organization: `probes` asks the API, `conclusions` says what
  that means, and how sure it is;
- `workspace` are those of a ChatGPT workspace;
- `time_limit` ends them in time;
- `findings` are what people and machines are shown.

The first request is the one that a sync begins with, so what refuses it refuses a sync
in the same words. The others look for reasons why a sync would bring less than
expected. All of them together take a minute at the most, even if the API hangs.

The exit code is 1 where a sync would fail, and where the log is empty although it
should not be: such a sync ends well and brings nothing, for ever. All else that is
worth a look is a warning, with exit code 0: a log that may be empty for a good reason,
filters that match nothing, tenant events that are refused, a wrong clock.
"""

from __future__ import annotations
