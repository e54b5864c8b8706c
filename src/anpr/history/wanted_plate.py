"""What a look-up asks of the stores and of the engine: keys to fetch reads by, and an entry to score them with. Pure.

The engine compares the reads with the plate as if it were the one entry of a watchlist. So a look-up finds a vehicle
by the rules by which the matcher does, and there is no second way to compare plates.

A read that names the country of a listed plate is more likely to be of it. A look-up without a country asks for every
country. So each read is compared with the plate of no country and with the plate of the country that it names: a
look-up finds every read that raised an alert, whatever country the list gave. It uses no calibrations
(docs/adr/0044), so one is left out that matched a short list, as near, only because its camera is calibrated.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from anpr.contracts.events import NO_GENERATION, Entry, Read
from anpr.contracts.look_up import LEAST_FIXED_CHARACTERS, LONGEST_PARTIAL_PERIOD, PARTIAL_PERIOD, LookUp
from anpr.contracts.plates import (
    MAX_CANONICAL_LENGTH,
    canonical,
    country_of,
    is_pattern,
    not_understood,
)
from anpr.matching.index import Index, Match
from anpr.matching.read_keys import folded_pattern, keys_near
from anpr.runtime.errors import InputError

_FOR_EVER = datetime.max.replace(tzinfo=UTC)


class WantedPlate:
    """The plate of a look-up, ready to be searched for.

    Attributes:
        keys: The keys of a whole plate's sightings; empty for a partial plate.
        pattern: What the keys of a partial plate's sightings fit; empty for a whole plate.
    """

    def __init__(self, look_up: LookUp) -> None:
        """Raise InputError for a text that is no plate, and for a partial plate that asks for too much."""
        _check_text(look_up.plate)
        is_partial = is_pattern(look_up.plate)
        if is_partial:
            _check_partial(look_up)
        self.keys = frozenset() if is_partial else keys_near(look_up.plate)
        self.pattern = folded_pattern(look_up.plate) if is_partial else ""
        self._plate = look_up.plate
        self._country = look_up.country and country_of(look_up.country)

    def matches(self, reads: Sequence[Read]) -> list[Match | None]:
        """Return for each read how it matches the plate; None where it does not, or names another country."""
        named = {country_of(read.country) for read in reads if read.country is not None}
        countries = [None, *sorted(named)] if self._country is None else [self._country]
        index = Index.build([_entry(self._plate, country) for country in countries], NO_GENERATION)
        return index.surest(reads, self._may_be_of)

    def _may_be_of(self, entry: Entry, read: Read) -> bool:
        """Return whether a read is compared with the plate of this country: see above."""
        if read.country is None:
            return entry.country == self._country
        return entry.country in {None, country_of(read.country)}


def _entry(plate: str, country: str | None) -> Entry:
    return Entry(
        entry_id=f"look-up {country}",
        revision=NO_GENERATION,
        list="look-up",
        plate=plate,
        country=country,
        valid_until=_FOR_EVER,
        tolerance="near",
    )


def _check_text(plate: str) -> None:
    """Refuse what a list refuses. The message does not repeat the plate, because messages are logged."""
    problem = ""
    if not_understood(plate):
        problem = "it has a character that is on no plate"
    elif not canonical(plate):
        problem = "it has neither a letter nor a digit"
    elif len(canonical(plate)) > MAX_CANONICAL_LENGTH:
        problem = f"it has more than {MAX_CANONICAL_LENGTH} letters and digits"
    if problem:
        next_step = "write the letters and digits of the plate; ? stands for one that is not known, * for any number"
        raise _refusal(f"this is no plate: {problem}", next_step)


def _check_partial(look_up: LookUp) -> None:
    fixed = len(canonical(look_up.plate))
    if fixed < LEAST_FIXED_CHARACTERS:
        needed = (
            f"a partial plate needs at least {LEAST_FIXED_CHARACTERS} letters or digits, and this one has {fixed}"
        )
        raise _refusal(needed, "add letters or digits that are known")
    if look_up.until - look_up.since > LONGEST_PARTIAL_PERIOD:
        longest = f"a partial plate is looked up for at most {PARTIAL_PERIOD.days} days"
        raise _refusal(longest, "ask for a shorter period, or for the whole plate")


def _refusal(message: str, next_step: str) -> InputError:
    return InputError("look-up-unusable", message, next_step)
