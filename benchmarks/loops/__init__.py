"""Loops that read a whole topic of reads, each run in a process of its own. A part of `benchmarks.throughput`."""
