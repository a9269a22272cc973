"""Other ways to read the same log. No other part of the benchmarks needs them."""
