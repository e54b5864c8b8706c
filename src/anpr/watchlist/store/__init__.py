"""The watchlist in Redis: snapshots, deltas, and the manifest that names those in force."""
