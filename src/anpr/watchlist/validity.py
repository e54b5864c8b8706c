"""What a plan says about the validity of entries: its first and last day, and why it changes by itself. Pure."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

import msgspec

from anpr.contracts.events import Entry
from anpr.contracts.local_days import UTC_DAYS
from anpr.contracts.moments import FIRST_MOMENT

_FIELDS = ("valid_from", "valid_until", "valid_from_day", "valid_until_day")


def validity_in_words(entry: Entry) -> str:
    """Return the first and the last day of an entry, or the moments where it has moments."""
    until = f"until {_end(entry)}"
    return f"valid from {_start(entry)} {until}" if _has_start(entry) else f"valid {until}"


def validity_of_all(entries: Sequence[Entry]) -> str:
    """Return from when on one of the entries is valid, and until when. "" when there is no entry."""
    if not entries:
        return ""
    until = f"until {_end(max(entries, key=lambda entry: entry.valid_until))}"
    first = min(entries, key=lambda entry: entry.valid_from or FIRST_MOMENT)
    if not _has_start(first):
        return f"some entries are valid already, and the last of all {until}"
    return f"the first entry is valid from {_start(first)}, the last {until}"


def changes_of_days(before: Mapping[str, Entry], changed: Sequence[Entry]) -> tuple[str, ...]:
    """Return a sentence for each reason for which entries change although their lines have not."""
    pairs = [(before[entry.entry_id], entry) for entry in changed]
    only_validity = [(old, new) for old, new in pairs if _with_validity_of(new, old) == old]
    to_days = sum(_meant_days_in_utc(old, new) for old, new in only_validity)
    of_sites = sum(_has_same_days(old, new) for old, new in only_validity)
    sentences = (
        (to_days, "their dates now mean days at the site of the read, and meant days in UTC when they were applied"),
        (of_sites, "the sites or their time zones have changed: their days stay the same"),
    )
    return tuple(
        f"{'1 entry changes' if count == 1 else f'{count} entries change'} only because {reason}"
        for count, reason in sentences
        if count
    )


def _has_start(entry: Entry) -> bool:
    """Return whether an entry was not valid always. Other systems write 0001-01-01 for always."""
    return (entry.valid_from or FIRST_MOMENT) != FIRST_MOMENT


def _start(entry: Entry) -> str:
    return _day(entry.valid_from_day) if entry.valid_from_day else _moment(entry.valid_from or FIRST_MOMENT)


def _end(entry: Entry) -> str:
    return _day(entry.valid_until_day) if entry.valid_until_day else _moment(entry.valid_until)


def _day(day: date) -> str:
    return f"{day.day} {day:%B} {day.year}"


def _moment(moment: datetime) -> str:
    return f"{_day(moment)} {moment:%H:%M %Z}"


def _with_validity_of(entry: Entry, other: Entry) -> Entry:
    fields = {name: getattr(other, name) for name in _FIELDS}
    return msgspec.structs.replace(entry, revision=other.revision, **fields)


def _meant_days_in_utc(old: Entry, new: Entry) -> bool:
    """Return whether an entry has the moments that its days had when a day was a day in UTC."""
    if old.valid_from_day is not None or old.valid_until_day is not None:
        return False
    start = new.valid_from if new.valid_from_day is None else UTC_DAYS.earliest_start_of(new.valid_from_day)
    return (old.valid_from, old.valid_until) == (start, UTC_DAYS.latest_end(new))


def _has_same_days(old: Entry, new: Entry) -> bool:
    if old.valid_from_day is None and old.valid_until_day is None:
        return False
    start_is_same = old.valid_from_day == new.valid_from_day
    end_is_same = old.valid_until_day == new.valid_until_day
    return (
        start_is_same
        and end_is_same
        and (new.valid_from_day is not None or old.valid_from == new.valid_from)
        and (new.valid_until_day is not None or old.valid_until == new.valid_until)
    )
