"""Routes, templates and headers."""
