"""The long-running processes, one file each, and what they share."""
