"""Fixtures and settings that all tests share."""

import os

from hypothesis import settings

# No deadlines: benchmarks measure speed. A slow machine must not fail a right answer.
settings.register_profile("dev", deadline=None, max_examples=100)
# Not derandomized, so that every run tries new examples. A failure prints the blob that repeats it.
settings.register_profile("ci", deadline=None, max_examples=200, derandomize=False, database=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") == "true" else "dev"))

pytest_plugins = ("tests.support.databases", "tests.support.servers")
