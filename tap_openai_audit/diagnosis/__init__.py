"""Why a sync would not work, or would bring less than expected.

- `probes` asks the API;
- `judgement` says what the answers mean, and how sure that is;
- `findings` tells it to people and machines.
"""

from __future__ import annotations
