"""What a list is checked against: the sites of the configuration, and the time at which it is read. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, cached_property

from anpr.contracts.events import Entry
from anpr.contracts.local_days import LocalDays
from anpr.contracts.plates import canonical_pattern, is_pattern
from anpr.reference_data import tables
from anpr.runtime.settings import Site

_NAMED = 5
# Longer than anything that a list is about lasts. Other systems write 9999-12-31 or 2999-12-31 where there is no end.
_FAR = timedelta(days=36_525)


@dataclass(frozen=True)
class ListContext:
    """The sites that the configuration names, and the time of reading.

    A direction is no reason: a read without one matches entries of every direction.
    """

    sites: Mapping[str, Site]
    at: datetime

    @cached_property
    def days(self) -> LocalDays:
        """The days of the sites."""
        return LocalDays({name: site.zone for name, site in self.sites.items()})

    def has_ended(self, entry: Entry) -> bool:
        """Return whether an entry's validity is over at every site."""
        return entry.valid_until <= self.at

    def why_it_never_rings(self, entry: Entry) -> str:
        """Return why no read can match an entry, "" when one can: the words for its warning."""
        if self.has_ended(entry):
            return "valid_until has passed"
        if entry.sites and all(self.days.ends_at(entry, name) <= self.at for name in entry.sites):
            return "their last day is over at their sites"
        if entry.sites and not any(self.sites[name].cameras for name in entry.sites if name in self.sites):
            return "no camera of this configuration is at the sites"
        if is_pattern(entry.plate) and _is_too_long(entry):
            return "no plate of any known country is as long as the pattern"
        return ""


def never_ringing(
    entries: Iterable[Entry], context: ListContext, line_of: Mapping[str, int]
) -> tuple[int, tuple[str, ...]]:
    """Return how many valid entries can never ring, and a sentence for each reason that names the first entries.

    `line_of` holds the line of each entry by id. Entries that have ended are named too, but not counted.
    """
    named: dict[str, list[Entry]] = {}
    ended = 0
    for entry in entries:
        if reason := context.why_it_never_rings(entry):
            named.setdefault(reason, []).append(entry)
            ended += context.has_ended(entry)
    sentences = tuple(
        f"{_count(found)} can never ring, because {reason}: {_names(found, line_of)}"
        for reason, found in named.items()
    )
    return sum(map(len, named.values())) - ended, sentences


def without_end(entries: Iterable[Entry], context: ListContext, line_of: Mapping[str, int]) -> tuple[str, ...]:
    """Return a sentence that names the first entries whose end is so far ahead that it is none."""
    far = [entry for entry in entries if entry.valid_until - context.at > _FAR]
    reason = "valid for more than 100 years, as if listed for ever; give an end that somebody will check"
    return (f"{_count(far)} would be {reason}: {_names(far, line_of)}",) if far else ()


def _count(entries: Sequence[Entry]) -> str:
    return "1 entry" if len(entries) == 1 else f"{len(entries)} entries"


def _names(entries: Sequence[Entry], line_of: Mapping[str, int]) -> str:
    names = "; ".join(_name(entry, line_of.get(entry.entry_id)) for entry in entries[:_NAMED])
    return f"{names}; and {len(entries) - _NAMED} more" if len(entries) > _NAMED else names


def _name(entry: Entry, line: int | None) -> str:
    where = f"line {line}: " if line else ""
    sites = f" ({', '.join(entry.sites)})" if entry.sites else ""
    return f"{where}{entry.plate}{sites}"


def _is_too_long(entry: Entry) -> bool:
    """Return whether even the shortest text of a pattern has more characters than a plate."""
    shortest = len(canonical_pattern(entry.plate).replace("*", ""))
    return shortest > _longest_plate()


@cache
def _longest_plate() -> int:
    """Return the highest number of characters of a plate of any country."""
    longest = 0
    for syntax in tables.load("countries").values():
        code = max(map(len, syntax.get("codes", [""])))
        forms = [form["form"] for form in (*syntax["forms"], *syntax.get("trailer", ()))]
        by_form = max(len(form) + form.count("C") * (code - 1) for form in forms)
        longest = max(longest, min(by_form, syntax.get("longest", by_form)))
    return longest
