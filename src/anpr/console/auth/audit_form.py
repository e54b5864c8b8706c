"""What an auditor fills in to find audit records, as a question to the chains. Pure."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta, tzinfo
from typing import Final

from msgspec import Struct

from anpr.audit.query import AuditQuery
from anpr.audit.record import OPERATIONS
from anpr.contracts.local_days import day_end, day_start
from anpr.contracts.plates import canonical, is_pattern

SHOWN_DAYS: Final = 7
_MOST_CHARACTERS: Final = 64


class AuditForm(Struct, frozen=True, kw_only=True):
    """The fields as they were filled in, and the page that is asked for. Days are those of the site."""

    person: str = ""
    vehicle: str = ""
    kind: str = ""
    since: str = ""
    until: str = ""
    after: str = ""


class AuditFormError(Exception):
    """A field cannot be used. The text tells the auditor what to enter."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


def last_days(now: datetime, zone: tzinfo) -> AuditForm:
    """Return the form for everything of the last days."""
    today = now.astimezone(zone).date()
    return AuditForm(since=str(today - timedelta(days=SHOWN_DAYS - 1)), until=str(today))


def filled_in(fields: Mapping[str, str]) -> AuditForm:
    """Return the form that a browser sent."""
    return AuditForm(
        **{name: fields.get(name, "").strip() for name in AuditForm.__struct_fields__},
    )


def query_of(form: AuditForm, zone: tzinfo) -> AuditQuery:
    """Return what the form asks for. Raises AuditFormError for a field that cannot be used."""
    for field in ("person", "vehicle"):
        if len(getattr(form, field)) > _MOST_CHARACTERS:
            raise AuditFormError(field, f"The {field} must be {_MOST_CHARACTERS} characters or fewer.")
    if form.vehicle and (not canonical(form.vehicle) or is_pattern(form.vehicle)):
        raise AuditFormError("vehicle", "Enter the whole plate, such as AB12 CDE.")
    if form.kind and form.kind not in OPERATIONS:
        raise AuditFormError("kind", "Select a kind from the list.")
    since, until = _day(form.since, "since"), _day(form.until, "until")
    if since > until:
        raise AuditFormError("until", "The last day must not be before the first.")
    return AuditQuery(
        since=day_start(since, zone),
        until=day_end(until, zone),
        user=form.person.lower(),
        plate=form.vehicle,
        operation=form.kind,
    )


def _day(text: str, field: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        name = "first" if field == "since" else "last"
        raise AuditFormError(field, f"Enter the {name} day, such as 2026-11-29.") from None
