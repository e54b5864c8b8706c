"""Settings, clock, logs, metrics, health and errors: every process needs them."""
