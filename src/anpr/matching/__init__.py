"""Finds the entries of the watchlist that a read matches, with a score and the reasons. Pure."""
