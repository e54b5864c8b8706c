"""Computes how probable it is that a read is of a listed vehicle. Pure."""
