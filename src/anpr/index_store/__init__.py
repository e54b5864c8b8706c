"""The index on disk: one builder writes it, the matchers of the machine map it."""
