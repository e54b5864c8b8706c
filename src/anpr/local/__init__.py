"""Servers and processes for one machine: the demo, the tests, the benchmarks. A deployment does not use them."""
