"""The records on the topics, and the names that all services use for them. Pure."""
