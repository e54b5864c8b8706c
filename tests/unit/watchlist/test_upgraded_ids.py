"""Yesterday's file after the upgrade changes only entries whose id now names the district, and the plan says why."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

from msgspec.structs import replace

from anpr.contracts.events import NO_GENERATION, Entry
from anpr.contracts.plates import canonical_pattern
from anpr.watchlist.csv_file import read_list
from anpr.watchlist.entry_identity import entries_named
from anpr.watchlist.list_context import ListContext
from anpr.watchlist.list_format import ListFormat
from anpr.watchlist.plan import ActiveList, Plan, PlannedFile, make_plan
from anpr.watchlist.removal_limit import RemovalLimit
from tests.support.strategies import an_entry

HEADER = "plate,country,reason,valid_until"
LINES = (
    "AB12 CDE,GB,,2099-12-31",
    "AB-123-CD,FR,,2099-12-31",
    "S-A 123,DE,,2099-12-31",
    "BMW 556,DE,,2099-12-31",
    "WA 12345,PL,,2099-12-31",
    "AB12 CDF,,,2099-12-31",
    "B-MW 555,DE,one car,2099-12-31",
    "GU-STAV 1,AT,,2099-12-31",
)


def before_the_upgrade(entry: Entry) -> Entry:
    text = f"stolen\0{canonical_pattern(entry.plate)}\0{entry.country or ''}"
    return replace(entry, entry_id=hashlib.sha256(text.encode()).digest()[:16].hex())


def plan_of(folder: Path, active: tuple[str, ...], planned: tuple[str, ...]) -> Plan:
    """Return the plan for a file over the entries of another one, as the version before wrote them."""
    file = folder / "list.csv"
    file.write_text("\n".join((HEADER, *active)) + "\n", "utf-8")
    entries = map(before_the_upgrade, read_list(file, "stolen").entries)
    file.write_text("\n".join((HEADER, *planned)) + "\n", "utf-8")
    return make_plan(
        "stolen",
        read_list(file, "stolen"),
        PlannedFile(str(file), ListFormat(), "ann", ListContext({}, datetime(2026, 1, 1, tzinfo=UTC))),
        ActiveList(NO_GENERATION, False, {entry.entry_id: entry for entry in entries}),
        RemovalLimit(0.2),
    )


def sentences(plan: Plan) -> list[str]:
    return [warning for warning in plan.warnings if "new id" in warning]


def test_only_the_entries_that_show_a_district_change_and_the_plan_says_why(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, LINES, LINES)
    assert (plan.unchanged, plan.changed, plan.added, plan.removed) == (6, 0, 2, 2)
    [sentence] = sentences(plan)
    assert sentence.startswith(
        "2 entries get a new id, which counts as removed and added ('B-MW 555', 'GU-STAV 1'): "
    )
    assert "the id now includes the district that the gap shows" in sentence


def test_the_vehicle_that_was_refused_before_is_added_beside(tmp_path: Path) -> None:
    both = ("B-MW 555,DE,one car,2099-12-31", "BM-W 555,DE,quite another car,2099-12-31")
    plan = plan_of(tmp_path, both[:1], both)
    assert (plan.added, plan.removed, plan.refused) == (2, 1, 0)
    assert sentences(plan)[0].startswith("1 entry gets a new id, which counts as removed and added ('B-MW 555'): ")


def test_a_file_without_such_plates_says_nothing_of_ids(tmp_path: Path) -> None:
    assert sentences(plan_of(tmp_path, LINES[:6], LINES[:6])) == []
    replaced = plan_of(tmp_path, ("BMW555,DE,,2099-12-31",), ("B-MW 555,DE,,2099-12-31",))
    assert (replaced.added, replaced.removed, sentences(replaced)) == (1, 1, []), "the operator wrote the gap"


def test_plates_that_do_not_show_their_district_are_counted_with_samples(tmp_path: Path) -> None:
    lines = ("BMW555,DE,,2099-12-31", "HRO A1,DE,,2099-12-31", "B-MW 555,DE,,2099-12-31", "AB12 CDE,GB,,2099-12-31")
    unmarked = ("BMW 55H,DE,,2099-12-31", "ABC 123,MD,,2099-12-31", "ABC123,,,2099-12-31", "S-A 123,DE,,2099-12-31")
    plan = plan_of(tmp_path, (), (*lines, *unmarked))
    [warning] = [text for text in plan.warnings if "gap behind the district" in text]
    assert warning == (
        "plates without the gap behind the district, which ring for every vehicle with this text: 2 "
        "(line 2: 'BMW555'; line 6: 'BMW 55H')"
    )


def test_a_person_who_names_a_plate_means_the_entry_of_its_district() -> None:
    entries = [an_entry(plate, plate=plate, country="DE") for plate in ("B-MW 555", "BM-W 555", "BMW555")]

    def named(plate: str, among: list[Entry] = entries) -> list[str]:
        return [entry.entry_id for entry in entries_named(plate, among)]

    assert named("b mw555") == ["B-MW 555"]
    assert named("BMW 555") == ["B-MW 555", "BM-W 555", "BMW555"]
    assert named("B-MW 555", entries[1:]) == ["BMW555"]
    assert named("B-MW 555", entries[1:2]) == []
