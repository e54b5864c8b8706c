"""The watchlist in Redis: snapshots, deltas, and the manifest that names the active ones."""
