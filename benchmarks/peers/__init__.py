"""Other stream processors that do the job of the hand-written loop, each in an environment of its own.

A part of `benchmarks throughput`. Beside each loop is the lock file with its packages.
"""
