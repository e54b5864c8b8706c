"""Counts in sentences: `1 entry`, `2 entries`. Pure."""


def counted(count: int, one: str, many: str = "") -> str:
    """Return the count with its noun. `many` is the plural, for a noun that needs more than an s."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"
