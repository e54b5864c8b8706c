"""Servers and processes for one machine: the demo, the tests, the benchmarks. A deployment uses none of it."""
