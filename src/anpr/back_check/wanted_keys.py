"""The keys under which history holds every read that new entries may match. Pure.

The engine judges the reads that are found. A key too many costs time. A missing key would cost an alert.
"""

from collections.abc import Iterable
from itertools import islice

from anpr.contracts.events import Entry
from anpr.contracts.plates import is_pattern
from anpr.matching.lookup.plate_table import FOLDED_TIER, NEAR_TIER, WIDEST_TIERS
from anpr.matching.read_keys import folded_key, keys_near

# For more entries, or more keys, all reads are gone through: it takes no longer then. A plate of seven characters
# that may be misread has 500 keys, so 1,000 of these are asked for by keys.
MOST_ENTRIES = 10_000
MOST_KEYS = 1_000_000


def wanted_keys(entries: Iterable[Entry]) -> frozenset[str] | None:
    """Return the keys to ask for, None where all reads must be gone through: for a pattern, and for a large list."""
    wanted: set[str] = set()
    some = list(islice(entries, MOST_ENTRIES + 1))
    if len(some) > MOST_ENTRIES:
        return None
    for entry in some:
        if is_pattern(entry.plate):
            return None
        is_near_wanted = WIDEST_TIERS.get(entry.tolerance, NEAR_TIER) > FOLDED_TIER
        wanted.update(keys_near(entry.plate) if is_near_wanted else (folded_key(entry.plate),))
        if len(wanted) > MOST_KEYS:
            return None
    return frozenset(wanted - {""})
