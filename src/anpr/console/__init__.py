"""The officers' console: pages rendered here, kept live by server-sent events (docs/adr/0015)."""
