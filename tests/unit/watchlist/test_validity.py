"""A plan says from when until when its entries are valid, and why yesterday's file changes them."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from anpr.contracts.events import Entry
from anpr.runtime.settings import Camera, Site
from anpr.watchlist.csv_file import read_list
from anpr.watchlist.list_context import ListContext
from anpr.watchlist.list_format import ListFormat
from anpr.watchlist.plan import ActiveList, Plan, PlannedFile, make_plan
from anpr.watchlist.removal_limit import RemovalLimit
from anpr.watchlist.validity import validity_in_words, validity_of_all
from tests.support.strategies import an_entry, generation

CAMERA = Camera(name="c", lane="1", position="front")


def site(title: str, zone: str) -> Site:
    return Site(title=title, kafka="", redis="", cameras=(CAMERA,), time_zone=zone)


SITES = {
    "calais": site("Calais", "Europe/Paris"),
    "coquelles": site("Coquelles", "Europe/Paris"),
    "dunkerque": site("Dunkerque", "Europe/Paris"),
    "dover": site("Dover", "Europe/London"),
}
CONTEXT = ListContext(SITES, datetime(2026, 6, 1, tzinfo=UTC))
FAR_AND_WIDE = ListContext(
    SITES | {"halifax": site("Halifax", "America/Halifax"), "auckland": site("Auckland", "Pacific/Auckland")},
    CONTEXT.at,
)


def planned(folder: Path, lines: str, active: list[Entry], context: ListContext = CONTEXT) -> Plan:
    file = folder / "list.csv"
    file.write_text(f"plate,valid_from,valid_until,sites\n{lines}", "utf-8")
    content = read_list(file, "stolen", context=context)
    active_list = ActiveList(generation(1), is_first_list=False, entries={entry.entry_id: entry for entry in active})
    return make_plan(
        "stolen", content, PlannedFile("list.csv", ListFormat(), "ann", context), active_list, RemovalLimit(0.2)
    )


def entries_of(folder: Path, lines: str, context: ListContext = CONTEXT) -> list[Entry]:
    file = folder / "active.csv"
    file.write_text(f"plate,valid_from,valid_until,sites\n{lines}", "utf-8")
    return [
        msgspec.structs.replace(entry, revision=generation(1))
        for entry in read_list(file, "stolen", context=context).entries
    ]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (
            {"valid_from_day": date(2026, 7, 1), "valid_until_day": date(2026, 7, 31)},
            "valid from 1 July 2026 until 31 July 2026",
        ),
        ({"valid_until_day": date(2099, 12, 31)}, "valid until 31 December 2099"),
        ({"valid_until_day": date(9999, 12, 31)}, "valid until 31 December 9999"),
        ({}, "valid until 1 January 2030 00:00 UTC"),
    ],
)
def test_a_day_is_said_as_it_was_written_and_a_moment_with_its_clock(fields: dict[str, Any], words: str) -> None:
    start = CONTEXT.days.earliest_start_of(fields["valid_from_day"]) if "valid_from_day" in fields else None
    assert validity_in_words(an_entry(valid_from=start, **fields)) == words


def test_a_plan_says_the_first_and_the_last_day_of_all_entries(tmp_path: Path) -> None:
    lines = "AB12 CDE,2026-07-02,2026-07-31,\nAB13 CDE,2026-07-01,2026-07-02,\nAB14 CDE,2026-07-05,2026-07-30,\n"
    plan = planned(tmp_path, lines, [])
    assert plan.validity == "the first entry is valid from 1 July 2026, the last until 31 July 2026"
    assert list(plan.sampled_validities) == [change.entry_id for change in plan.sample]
    third = plan.sampled_validities[plan.sample[2].entry_id]
    assert third == "valid from 5 July 2026 until 30 July 2026"
    some = planned(tmp_path, f"{lines}AB15 CDE,,2026-07-31T12:00Z,\n", [])
    assert some.validity == "some entries are valid already, and the last of all until 31 July 2026"
    assert validity_of_all([]) == ""


def test_yesterdays_file_changes_the_entries_with_dates_and_says_why(tmp_path: Path) -> None:
    lines = (
        "AB12 CDE,2026-07-01,2026-07-31,\nAB13 CDE,,2026-07-31,calais\nAB14 CDE,,2026-07-31T18:00Z,\n"
        "AB15 CDE,2026-07-01T08:00Z,2026-07-31,\nAB16 CDE,2026-07-01,2026-07-31T18:00Z,\n"
    )
    of_days = entries_of(tmp_path, lines)
    # As the version before wrote them: a day was a day in UTC.
    midnight, next_midnight = datetime(2026, 7, 1, tzinfo=UTC), datetime(2026, 8, 1, tzinfo=UTC)
    active = [
        msgspec.structs.replace(
            entry,
            valid_from=midnight if entry.valid_from_day else entry.valid_from,
            valid_until=next_midnight if entry.valid_until_day else entry.valid_until,
            valid_from_day=None,
            valid_until_day=None,
        )
        for entry in of_days
    ]
    plan = planned(tmp_path, lines, active)
    assert (plan.added, plan.changed, plan.removed, plan.unchanged) == (0, 4, 0, 1)
    reason = "their dates now mean days at the site of the read, and meant days in UTC when they were applied"
    assert plan.warnings == (f"4 entries change only because {reason}",)
    again = planned(tmp_path, lines, of_days)
    assert (again.changed, again.unchanged, again.warnings) == (0, 5, ())


def test_an_entry_that_changes_in_another_way_too_is_not_explained_by_its_days(tmp_path: Path) -> None:
    [entry] = entries_of(tmp_path, "AB12 CDE,,2026-07-31,\n")
    other_end = msgspec.structs.replace(entry, valid_until_day=None, valid_until=datetime(2026, 7, 30, tzinfo=UTC))
    other_reason = msgspec.structs.replace(
        entry, valid_until_day=None, valid_until=datetime(2026, 8, 1, tzinfo=UTC), reason="x"
    )
    for active in (other_end, other_reason):
        plan = planned(tmp_path, "AB12 CDE,,2026-07-31,\n", [active])
        assert (plan.changed, plan.warnings) == (1, ())


def test_a_new_site_changes_the_latest_end_and_the_plan_says_so(tmp_path: Path) -> None:
    lines = "AB12 CDE,2026-07-01,2026-07-31,\nAB13 CDE,,2026-07-31T18:00Z,\n"
    plan = planned(tmp_path, lines, entries_of(tmp_path, lines), FAR_AND_WIDE)
    assert (plan.changed, plan.unchanged) == (1, 1)
    assert plan.warnings == (
        "1 entry changes only because the sites or their time zones have changed: their days stay the same",
    )


def test_an_exported_list_changes_nothing(tmp_path: Path) -> None:
    lines = "AB12 CDE,2026-07-01,2026-07-31,\nAB13 CDE,0001-01-01,9999-12-31,\n"
    plan = planned(tmp_path, lines, entries_of(tmp_path, lines))
    assert (plan.changed, plan.unchanged) == (0, 2)


# --- ends that are none ---


@pytest.mark.parametrize(
    "end", ["9999-12-31", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-12:00", "2999-12-31", "2127-01-01"]
)
def test_an_end_that_is_none_is_taken_and_warned_of(tmp_path: Path, end: str) -> None:
    plan = planned(tmp_path, f"AB12 CDE,,{end},\nAB13 CDE,,2099-12-31,\n", [])
    assert (plan.added, plan.refused) == (2, 0)
    reason = "valid for more than 100 years, as if listed for ever; give an end that somebody will check"
    assert plan.warnings == (f"1 entry would be {reason}: line 2: AB12 CDE",)


def test_a_first_day_of_0001_01_01_is_always(tmp_path: Path) -> None:
    [entry] = entries_of(tmp_path, "AB12 CDE,0001-01-01,2026-12-31,\n", FAR_AND_WIDE)
    assert entry.valid_from == datetime.min.replace(tzinfo=UTC)
    assert validity_in_words(entry) == "valid until 31 December 2026"


def test_an_entry_that_has_ended_at_its_own_sites_can_never_ring(tmp_path: Path) -> None:
    """It ends at Dover an hour later, but it is not for Dover."""
    context = ListContext(SITES, datetime(2026, 7, 31, 22, 30, tzinfo=UTC))
    lines = "AB12 CDE,,2026-07-31,calais\nAB13 CDE,,2026-07-31,calais|dover\nAB14 CDE,,2026-07-31,\n"
    plan = planned(tmp_path, lines, [], context)
    assert plan.never_rings == 1
    assert plan.warnings == (
        "1 entry can never ring, because their last day is over at their sites: line 2: AB12 CDE (calais)",
    )
    assert plan.expired == 0
