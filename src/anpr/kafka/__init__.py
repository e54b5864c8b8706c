"""Kafka as the services see it: consumer, producer, tail, topics; and an in-memory broker for unit tests."""
