"""The layouts that `rare` in `countries.toml` stands for: `A{1,3}99` is one to three letters and two digits. Pure."""

import re
from collections.abc import Iterable, Iterator
from itertools import product
from typing import Final

# A letter or digit, and how often it can follow itself.
_GROUP: Final = r"([A9])(?:\{(\d),(\d)\})?"
RARE_LAYOUTS: Final = re.compile(f"(?:{_GROUP})+")


def rare_layouts(patterns: Iterable[str]) -> frozenset[str]:
    """Return the layouts (A for a letter, 9 for a digit) of the patterns of a country."""
    return frozenset(layout for pattern in patterns for layout in _expanded(pattern))


def _expanded(pattern: str) -> Iterator[str]:
    groups = [(kind, int(least or 1), int(most or 1)) for kind, least, most in re.findall(_GROUP, pattern)]
    repeated = ([kind * count for count in range(least, most + 1)] for kind, least, most in groups)
    return map("".join, product(*repeated))
