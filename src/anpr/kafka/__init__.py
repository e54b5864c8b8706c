"""Kafka as the services see it: consumer, producer, tail, topics; and the in-memory twin for unit tests."""
