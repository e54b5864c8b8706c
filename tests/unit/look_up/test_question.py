"""A look-up says who asks, about which vehicle, when and why; what cannot be used is named with its part."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from anpr.look_up.question import Asker, UnusableQuestionError, WrittenQuestion, question

NOW = datetime(2026, 11, 29, 11, 30, tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")
ANN = Asker("ann", "officer", "calais")
TODAY_ENDS = datetime(2026, 11, 29, 23, tzinfo=UTC)


def ask(plate: str = "AB12 CDE", reason: str = "seen leaving the lane", **rest: str) -> object:
    return question(WrittenQuestion(plate, reason, **rest), ANN, NOW, PARIS)


def test_without_a_period_it_asks_for_the_last_thirty_days_until_the_end_of_today() -> None:
    asked = question(WrittenQuestion(" ab12 cde ", " why "), ANN, NOW, PARIS)
    assert (asked.since, asked.until) == (TODAY_ENDS - timedelta(days=30), TODAY_ENDS)
    assert (asked.plate, asked.reason, asked.country) == ("ab12 cde", "why", None)
    assert (asked.user, asked.role, asked.asking_site) == ("ann", "officer", "calais")


def test_without_a_period_a_partial_plate_is_looked_up_for_seven_days() -> None:
    asked = question(WrittenQuestion("AB1?", "why"), ANN, NOW, PARIS)
    assert (asked.since, asked.until) == (TODAY_ENDS - timedelta(days=7), TODAY_ENDS)


@pytest.mark.parametrize(
    ("first", "last", "hours"), [("2026-10-19", "2026-10-25", 169), ("2026-03-23", "2026-03-29", 167)]
)
def test_a_partial_plate_is_looked_up_for_seven_days_of_a_week_in_which_the_clocks_change(
    first: str, last: str, hours: int
) -> None:
    in_that_week = datetime.fromisoformat(f"{last}T12:00Z")
    for since in (first, ""):
        asked = question(WrittenQuestion("AB1?", "why", since=since, until=last), ANN, in_that_week, PARIS)
        assert asked.since == datetime.fromisoformat(first).replace(tzinfo=PARIS)
        assert asked.until - asked.since == timedelta(hours=hours)
    day_before = datetime.fromisoformat(first) - timedelta(days=1)
    with pytest.raises(UnusableQuestionError, match="at most 7 days"):
        question(WrittenQuestion("AB1?", "why", since=f"{day_before:%F}", until=last), ANN, in_that_week, PARIS)


def test_a_period_of_seven_times_24_hours_is_short_enough_in_any_week() -> None:
    ask("AB1?", since="2026-03-23T00:00Z", until="2026-03-30T00:00Z")
    ask("AB1?", since="0001-01-01", until="0001-01-02")


def test_a_day_is_a_day_at_the_site_and_the_last_one_counts_whole() -> None:
    asked = question(WrittenQuestion("AB12CDE", "why", since="2026-11-20", until="2026-11-21"), ANN, NOW, PARIS)
    assert asked.since == datetime(2026, 11, 19, 23, tzinfo=UTC)
    assert asked.until == datetime(2026, 11, 21, 23, tzinfo=UTC)


def test_a_time_is_one_by_the_clock_of_the_site_unless_it_says_otherwise() -> None:
    asked = question(
        WrittenQuestion("AB12CDE", "why", since="2026-11-20T08:00", until="2026-11-20T08:00Z"), ANN, NOW, PARIS
    )
    assert asked.since == datetime(2026, 11, 20, 7, tzinfo=UTC)
    assert asked.until == datetime(2026, 11, 20, 8, tzinfo=UTC)


@pytest.mark.parametrize(("written", "code"), [("Poland", "PL"), ("UK", "GB"), ("d", "DE"), ("", None), (" ", None)])
def test_a_country_is_taken_by_code_sign_or_name(written: str, code: str | None) -> None:
    assert question(WrittenQuestion("AB12CDE", "why", country=written), ANN, NOW, PARIS).country == code


@pytest.mark.parametrize(
    ("part", "fields"),
    [
        ("plate", {"plate": ""}),
        ("plate", {"plate": " - "}),
        ("plate", {"plate": "***"}),
        ("plate", {"plate": "A?2"}),
        ("plate", {"plate": "A" * 21}),
        ("plate", {"plate": "A1" + " " * 65 + "2"}),
        ("plate", {"plate": "AB12;CDE"}),
        ("reason", {"reason": " \n "}),
        ("reason", {"reason": "\u200b\u200d"}),
        ("reason", {"reason": "x" * 501}),
        ("country", {"country": "Atlantis"}),
        ("since", {"since": "yesterday"}),
        ("until", {"until": "2026-02-30"}),
        ("since", {"since": "2026-11-21", "until": "2026-11-20"}),
        ("since", {"plate": "AB1?", "since": "2026-11-01", "until": "2026-11-20"}),
    ],
)
def test_what_cannot_be_used_is_refused_and_its_part_is_named(part: str, fields: dict[str, str]) -> None:
    with pytest.raises(UnusableQuestionError) as refused:
        ask(**fields)
    assert refused.value.part == part
    assert refused.value.next_step


@pytest.mark.parametrize("since", ["0001-01-01", "0001-01-01T00:00"])
def test_the_first_day_of_the_calendar_is_a_day(since: str) -> None:
    asked = question(WrittenQuestion("AB12CDE", "why", since=since, until="9999-12-31"), ANN, NOW, PARIS)
    assert asked.since.year == 1
