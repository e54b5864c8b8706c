"""Which entries of the watchlist a read matches, how surely, and why. Pure."""
