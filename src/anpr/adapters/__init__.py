"""Kafka and Redis as the services see them, and the in-memory twins of both for unit tests."""
