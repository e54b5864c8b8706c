"""Who did what, when and why: a chain of records for each console and each history service (docs/adr/0031)."""
