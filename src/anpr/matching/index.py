"""The index: one state of the watchlist, laid out so that a read finds its entries in one look-up.

Theory of operation: every entry is filed under its `equivalent` key (0 as O, 1 as I). A read looks under its own
key and finds all entries whose plates differ from it in those glyphs at most; comparing the canonical plates then
tells tier `exact` from `equivalent`. What does not depend on the plate (validity, sites, directions) is tested
last, on the few entries found.

An index never changes. A new list is a new index, put in place by one assignment, so no read sees half of one.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from anpr import plates
from anpr.events import DIRECTIONS, Entry, Explanation, Generation, Read
from anpr.matching.explain import explain

# How sure a match of each tier is. They order the alerts and are no measurements yet.
TIER_SCORES = {"exact": 0.98, "equivalent": 0.9}
# The camera's country and the list's disagree: cameras err there too, so it lowers the score and is shown.
OTHER_COUNTRY_FACTOR = 0.5

# The tiers that an entry's tolerance allows; one that this version does not know is taken at its widest.
_TOLERATED = {"exact": ("exact",)}
_ALL_TIERS = ("exact", "equivalent")


@dataclass(frozen=True, slots=True)
class Match:
    """An entry that a read matches, with the tier, the score (0..1) and the reasons."""

    entry: Entry
    tier: str
    score: float
    explanation: Explanation


class Index:
    """One generation of the watchlist, ready to be matched against."""

    def __init__(self, entries: Iterable[Entry], generation: Generation) -> None:
        """File the entries. They are in order of `entry_id` under each key, whatever order they came in."""
        self.generation = generation
        filed: defaultdict[str, list[tuple[str, Entry]]] = defaultdict(list)
        self.size = 0
        for entry in entries:
            plate = plates.canonical(entry.plate)
            filed[plates.equivalent(plate)].append((plate, entry))
            self.size += 1
        for same_key in filed.values():
            same_key.sort(key=lambda listed: listed[1].entry_id)
        self._filed = dict(filed)

    def match(self, reads: Sequence[Read]) -> list[list[Match]]:
        """Return for each read, in their order, the entries that it matches."""
        return [self._match_one(read) for read in reads]

    def _match_one(self, read: Read) -> list[Match]:
        plate = plates.canonical(read.plate)
        matches = []
        for listed, entry in self._filed.get(plates.equivalent(plate), ()):
            tier = "exact" if listed == plate else "equivalent"
            if tier in _TOLERATED.get(entry.tolerance, _ALL_TIERS) and in_force(entry, read):
                score = TIER_SCORES[tier] * (OTHER_COUNTRY_FACTOR if _other_country(entry, read) else 1)
                matches.append(Match(entry, tier, score, explain(plate, listed, read, entry)))
        return matches


def in_force(entry: Entry, read: Read) -> bool:
    """Tell whether the entry is meant for this read: its time of capture, its site and its direction.

    A direction that the camera did not give rules nothing out, nor does a word of the camera or the list that is
    unknown here.
    """
    captured_at = read.captured_at
    if captured_at is not None:
        if captured_at >= entry.valid_until:
            return False
        if entry.valid_from is not None and captured_at < entry.valid_from:
            return False
    if entry.sites and read.site not in entry.sites:
        return False
    known = read.direction in DIRECTIONS and all(direction in DIRECTIONS for direction in entry.directions)
    return not (entry.directions and known and read.direction not in entry.directions)


def _other_country(entry: Entry, read: Read) -> bool:
    return entry.country is not None and read.country is not None and entry.country != read.country
