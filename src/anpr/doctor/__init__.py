"""Checks everything that the configuration names. One file for each kind of thing, and one that runs all checks."""
