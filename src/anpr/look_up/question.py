"""Makes the question of a look-up from what a person wrote, or says which part of it cannot be used. Pure."""

from datetime import date, datetime, timedelta, tzinfo
from typing import Final, NamedTuple

from anpr.contracts.country_codes import country_code
from anpr.contracts.local_days import day_end, day_start
from anpr.contracts.look_up import LEAST_FIXED_CHARACTERS, PARTIAL_PERIOD, LookUp, is_blank
from anpr.contracts.moments import in_utc, local_time, shifted
from anpr.contracts.plates import MAX_CANONICAL_LENGTH, canonical_pattern, is_pattern, not_understood
from anpr.runtime.errors import InputError

MOST_PLATE_CHARACTERS: Final = 64
MOST_REASON_CHARACTERS: Final = 500
# As long as sightings that matched nothing are kept, as the program is delivered.
WHOLE_PERIOD: Final = timedelta(days=30)


class UnusableQuestionError(InputError):
    """A part of a question that cannot be used. `part` names it: plate, country, since, until or reason."""

    def __init__(self, part: str, message: str, next_step: str) -> None:
        """`message` states what is wrong with the part, `next_step` what to write instead."""
        super().__init__("look-up-unusable", message, next_step)
        self.part = part


class WrittenQuestion(NamedTuple):
    """A question as a person wrote it. Of all but the plate and the reason nothing need be written."""

    plate: str
    reason: str
    country: str = ""
    since: str = ""
    until: str = ""


class Asker(NamedTuple):
    """Who asks: the user, the role, and the site where they are."""

    user: str
    role: str
    site: str


def question(written: WrittenQuestion, asker: Asker, now: datetime, zone: tzinfo) -> LookUp:
    """Return the question. Days and times without a zone are those of `zone`. Raises UnusableQuestionError."""
    plate = _plate(written.plate)
    since, until = _period(written, now, zone, is_partial=is_pattern(plate))
    return LookUp(
        plate=plate,
        country=_country(written.country),
        since=since,
        until=until,
        reason=usable_reason(written.reason, "Say why you look this vehicle up"),
        user=asker.user,
        role=asker.role,
        asking_site=asker.site,
    )


def _plate(text: str) -> str:
    plate = text.strip()
    fixed = canonical_pattern(plate).replace("?", "").replace("*", "")
    if not fixed:
        raise UnusableQuestionError("plate", "There is no plate.", "Enter a plate, such as AB12 CDE")
    if not_understood(plate):
        raise UnusableQuestionError(
            "plate", "The plate has a character that is on no plate.", "Enter letters and digits, and ? or *"
        )
    if len(plate) > MOST_PLATE_CHARACTERS or len(fixed) > MAX_CANONICAL_LENGTH:
        raise UnusableQuestionError(
            "plate",
            f"The plate has more than {MAX_CANONICAL_LENGTH} letters and digits.",
            f"Enter a plate of at most {MAX_CANONICAL_LENGTH} letters and digits",
        )
    if is_pattern(plate) and len(fixed) < LEAST_FIXED_CHARACTERS:
        raise UnusableQuestionError(
            "plate",
            f"A partial plate needs at least {LEAST_FIXED_CHARACTERS} letters or digits beside ? and *.",
            f"Enter at least {LEAST_FIXED_CHARACTERS} letters or digits, such as AB1?",
        )
    return plate


def _country(text: str) -> str | None:
    if not text.strip():
        return None
    code = country_code(text)
    if code is None:
        raise UnusableQuestionError(
            "country", f"{text.strip()[:40]!r} is not a country.", "Enter a country, such as GB, PL or Poland"
        )
    return code


def usable_reason(text: str, what_to_say: str) -> str:
    """Return the reason as the audit keeps it.

    Raises UnusableQuestionError, with `what_to_say` as the next step where there is none, and where it is too long.
    """
    reason = text.strip()
    if is_blank(reason):
        raise UnusableQuestionError("reason", "There is no reason.", what_to_say)
    if len(reason) > MOST_REASON_CHARACTERS:
        raise UnusableQuestionError(
            "reason",
            f"The reason has more than {MOST_REASON_CHARACTERS} characters.",
            f"Say it in at most {MOST_REASON_CHARACTERS} characters",
        )
    return reason


def _period(written: WrittenQuestion, now: datetime, zone: tzinfo, *, is_partial: bool) -> tuple[datetime, datetime]:
    """Return since when and until when: without these, the last days up to the end of today."""
    until = _moment("until", written.until, zone, is_end=True)
    if until is None:
        until = day_end(local_time(now, zone).date(), zone)
    since = _moment("since", written.since, zone, is_end=False)
    if since is None:
        since = _days_before(until, PARTIAL_PERIOD if is_partial else WHOLE_PERIOD, zone)
    if since >= until:
        raise UnusableQuestionError(
            "since", "The period ends before it begins.", "Enter a first day that is not after the last day"
        )
    if is_partial and since < min(shifted(until, -PARTIAL_PERIOD), _days_before(until, PARTIAL_PERIOD, zone)):
        raise UnusableQuestionError(
            "since",
            f"A partial plate can be looked up for at most {PARTIAL_PERIOD.days} days.",
            f"Enter a period of at most {PARTIAL_PERIOD.days} days, or the whole plate",
        )
    return since, until


def _days_before(moment: datetime, days: timedelta, zone: tzinfo) -> datetime:
    """Return the moment so many days before another by the clock of a zone, even if it was changed in between."""
    return in_utc(shifted(local_time(moment, zone), -days))


def _moment(part: str, text: str, zone: tzinfo, *, is_end: bool) -> datetime | None:
    """Return the moment that a text names, None for an empty one. A day ends when it is over."""
    written = text.strip()
    if not written:
        return None
    try:
        day = date.fromisoformat(written)
    except ValueError:
        return _time(part, written, zone)
    return day_end(day, zone) if is_end else day_start(day, zone)


def _time(part: str, text: str, zone: tzinfo) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UnusableQuestionError(
            part,
            f"{text[:40]!r} is not a day or a time.",
            "Enter a day, such as 2026-11-29, or a time, such as 2026-11-29T18:00",
        ) from None
    return in_utc(moment if moment.tzinfo else moment.replace(tzinfo=zone))
