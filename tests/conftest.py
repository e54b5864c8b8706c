"""Fixtures and settings that all tests share."""

import gc
import os

from hypothesis import settings

# No deadlines: benchmarks measure speed. A slow machine must not fail a right answer.
settings.register_profile("dev", deadline=None, max_examples=100)
# What must pass before a change lands tries the same examples each time: no change is refused for a fault that it did
# not bring. New examples are for `dev` and, many more, for `nightly`; a failure prints the blob that repeats it.
settings.register_profile("ci", deadline=None, max_examples=40, derandomize=True, database=None)
settings.register_profile("nightly", deadline=None, max_examples=10_000, database=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") == "true" else "dev"))

pytest_plugins = ("tests.support.databases", "tests.support.servers")


def pytest_collection() -> None:
    """Collect no garbage while tests are collected: all of it stays, and would be walked again and again."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Collect garbage from now on, but only of what tests make."""
    gc.freeze()
    gc.enable()
