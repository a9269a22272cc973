"""The tap beside other tools, on the same log, in one run: `benchmarks/run.py`."""

from __future__ import annotations
