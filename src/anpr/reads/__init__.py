"""From the bytes of a record to a read. Pure."""
