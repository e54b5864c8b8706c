"""The watchlist: read from a file, kept in Redis by generation, followed by every service."""
