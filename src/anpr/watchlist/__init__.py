"""The watchlist: read from a file, planned, and kept in Redis by generation."""
