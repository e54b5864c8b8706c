"""Finds the country whose name is misspelt. Pure."""

from functools import lru_cache
from typing import Final

from anpr.contracts.country_codes import COMMON_NAMES
from anpr.runtime.nearest import nearest

# Between codes of two letters nothing is near.
_SHORTEST_NAME: Final = 4
_LONGEST_NAME: Final = 40


@lru_cache(maxsize=1024)
def nearest_country(text: str) -> str:
    """Return the name that is nearest to a misspelt one, with its code; "" when none is near."""
    name = nearest(text, COMMON_NAMES) if _SHORTEST_NAME <= len(text) <= _LONGEST_NAME else ""
    return f"{name} ({COMMON_NAMES[name]})" if name else ""
