"""Which entries of a watchlist a read matches, how surely, and why."""
