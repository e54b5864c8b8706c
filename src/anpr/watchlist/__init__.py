"""The watchlist: read from a file, planned, and kept at its home by generation."""
