"""Simulated cameras send reads with the faults of real cameras."""

import tracemalloc
from collections import Counter, deque
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice, pairwise, takewhile
from pathlib import Path

import pytest

from anpr.runtime.settings_files import load_settings
from simulators import plate_syntax
from simulators.cameras import Camera, lanes
from simulators.run import SimulatedTime
from simulators.traffic import Listed, Sighting, traffic
from simulators.vehicles import Plate

SITES = load_settings(Path(__file__).parents[3] / "config", {}).sites
EIGHT_S = 8 * 3600


def sightings(site: str, seed: int = 7, *, volume: float = 1.0, listed: Listed | None = None) -> Iterator[Sighting]:
    return traffic(site, lanes(SITES[site]), seed, at_s=EIGHT_S, volume=volume, listed=listed)


@pytest.fixture(scope="module")
def a_day() -> list[Sighting]:
    return list(takewhile(lambda sighting: sighting.published_s < 86_400, sightings("calais")))


def share(part: int, whole: int) -> float:
    return part / whole


def test_records_come_in_order_of_publication_and_never_before_their_capture(a_day: list[Sighting]) -> None:
    assert all(one.published_s <= other.published_s for one, other in pairwise(a_day))
    assert all(sighting.captured_s <= sighting.published_s for sighting in a_day)


def test_a_read_id_comes_twice_only_when_a_camera_repeats_the_record(a_day: list[Sighting]) -> None:
    originals = {sighting.read.read_id: sighting.read for sighting in a_day if not sighting.is_duplicate}
    assert len(originals) == sum(not sighting.is_duplicate for sighting in a_day)
    repeats = [sighting for sighting in a_day if sighting.is_duplicate]
    assert all(originals[sighting.read.read_id] == sighting.read for sighting in repeats)
    assert share(len(repeats), len(a_day)) == pytest.approx(0.005, abs=0.002)


def test_a_pass_has_four_to_eight_reads_when_nothing_goes_wrong(a_day: list[Sighting]) -> None:
    reads = Counter(sighting.vehicle_pass.pass_id for sighting in a_day if not sighting.is_duplicate)
    assert 3.8 * len(reads) < sum(reads.values()) < 6.2 * len(reads)
    assert share(sum(4 <= number <= 8 for number in reads.values()), len(reads)) > 0.95


def test_the_first_and_the_last_record_of_each_pass_are_marked(a_day: list[Sighting]) -> None:
    under_way: set[str] = set()
    most = 0
    for sighting in a_day:
        if sighting.is_first_of_pass:
            assert sighting.vehicle_pass.pass_id not in under_way
            under_way.add(sighting.vehicle_pass.pass_id)
        assert sighting.vehicle_pass.pass_id in under_way
        if sighting.is_last_of_pass:
            under_way.remove(sighting.vehicle_pass.pass_id)
        most = max(most, len(under_way))
    assert most < 40


def test_some_passes_are_sent_minutes_late(a_day: list[Sighting]) -> None:
    late = {sighting.vehicle_pass.pass_id for sighting in a_day if sighting.late_by_s}
    assert share(len(late), len({sighting.vehicle_pass.pass_id for sighting in a_day})) == pytest.approx(
        0.005, abs=0.003
    )
    assert all(120 <= sighting.late_by_s <= 1200 for sighting in a_day if sighting.vehicle_pass.pass_id in late)


def test_a_partial_read_is_corrected_by_the_whole_one(a_day: list[Sighting]) -> None:
    by_id = {sighting.read.read_id: sighting for sighting in a_day}
    corrections = [sighting for sighting in a_day if sighting.read.supersedes and not sighting.is_duplicate]
    assert share(len(corrections), len(a_day)) == pytest.approx(0.005, abs=0.002)
    for sighting in corrections:
        partial = by_id[sighting.read.supersedes or ""]
        assert sighting.read.plate.startswith(partial.read.plate.rstrip(" -"))
        assert len(partial.read.plate) < len(sighting.read.plate)
        assert (partial.vehicle_pass, partial.read.camera) == (sighting.vehicle_pass, sighting.read.camera)
        assert partial.published_s < sighting.published_s


def test_most_vehicles_go_to_the_uk(a_day: list[Sighting]) -> None:
    directions = Counter(sighting.read.direction for sighting in a_day if sighting.is_first_of_pass)
    assert directions.total() > 4000
    assert share(directions["uk_bound"], directions.total()) == pytest.approx(0.97, abs=0.01)
    assert directions.keys() == {"uk_bound", "fr_bound", None}


def test_the_camera_sometimes_reports_a_wrong_country_or_none(a_day: list[Sighting]) -> None:
    reported = Counter(
        "none" if sighting.read.country is None else sighting.read.country == sighting.true_plate.country
        for sighting in a_day
    )
    assert share(reported["none"], len(a_day)) == pytest.approx(0.05, abs=0.01)
    assert share(reported[False], len(a_day)) == pytest.approx(0.02, abs=0.01)


def test_lorries_are_mostly_from_the_east_and_cars_british(a_day: list[Sighting]) -> None:
    first = [sighting.vehicle_pass.vehicle for sighting in a_day if sighting.is_first_of_pass]
    lorries = Counter(vehicle.front.country for vehicle in first if vehicle.kind == "lorry")
    cars = Counter(vehicle.front.country for vehicle in first if vehicle.kind == "car")
    for country, percent in {"PL": 25, "RO": 14, "GB": 13, "LT": 8}.items():
        assert share(lorries[country], lorries.total()) == pytest.approx(percent / 100, abs=0.03)
    assert share(cars["GB"], cars.total()) == pytest.approx(0.75, abs=0.04)


def test_every_vehicle_carries_plates_of_its_country(a_day: list[Sighting]) -> None:
    for sighting in a_day:
        assert plate_syntax.fits_country(sighting.true_plate.country or "", sighting.true_plate.text)


def test_continental_trailers_carry_a_plate_of_their_own_and_british_ones_the_lorrys(a_day: list[Sighting]) -> None:
    lorries = [s.vehicle_pass.vehicle for s in a_day if s.is_first_of_pass and s.vehicle_pass.vehicle.kind == "lorry"]
    own = Counter(vehicle.front != vehicle.rear for vehicle in lorries if vehicle.front.country != "GB")
    assert share(own[True], own.total()) > 0.8
    assert all(vehicle.front == vehicle.rear for vehicle in lorries if vehicle.front.country in ("GB", "IE"))


def test_two_vehicles_are_never_at_one_camera_at_once_however_many_come() -> None:
    passed_s: dict[str, float] = {}
    for sighting in islice(sightings("dunkerque", volume=10), 5000):
        if sighting.is_first_of_pass and sighting.read.position == "front":
            lane = sighting.vehicle_pass.lane.name
            # The first frame that can be read may be the third, up to 0.8 s after the vehicle came.
            assert sighting.captured_s >= passed_s.get(lane, -5.0) + 4.2
            passed_s[lane] = sighting.captured_s


def test_a_long_run_needs_no_more_memory_than_a_short_one() -> None:
    stream = sightings("calais")
    deque(islice(stream, 5000), maxlen=0)
    tracemalloc.start()
    try:
        deque(islice(stream, 5000), maxlen=0)
        after_an_hour = held_bytes()
        deque(islice(stream, 15_000), maxlen=0)
        after_a_day = held_bytes()
    finally:
        tracemalloc.stop()
    assert after_a_day < after_an_hour + 100_000


def held_bytes() -> int:
    """Return the memory of the simulators. Memory of threads that other tests left behind is not counted."""
    of_simulators = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(True, "*/simulators/*")])
    return sum(trace.size for trace in of_simulators.traces)


def test_the_moment_of_capture_is_real_time_and_a_late_pass_was_captured_that_much_before(
    a_day: list[Sighting],
) -> None:
    start = datetime(2026, 6, 1, tzinfo=UTC)
    times = SimulatedTime(start, speed=60)
    for sighting in a_day:
        seconds = (times.captured_at(sighting) - start).total_seconds()
        assert seconds == pytest.approx(sighting.captured_s / 60 - sighting.late_by_s, abs=0.001)


@pytest.mark.parametrize("site", ["calais", "coquelles", "dunkerque"])
def test_listed_vehicles_come_among_the_first_twenty_passes_of_each_site(site: str) -> None:
    listed = Listed((Plate("LATER1", "GB"),), (Plate("FIRST1", "GB"),), share=0.0)
    passes = [s.vehicle_pass for s in islice(sightings(site, listed=listed), 200) if s.is_first_of_pass][:20]
    assert (
        sum(vehicle_pass.vehicle.front.text == "FIRST1" for vehicle_pass in passes if vehicle_pass.vehicle.listed)
        >= 2
    )


def test_listed_vehicles_come_as_often_as_asked_and_evenly() -> None:
    listed = Listed(tuple(Plate(f"LISTED{i}", "GB") for i in range(4)), (), share=0.2)
    vehicles = [
        s.vehicle_pass.vehicle for s in islice(sightings("coquelles", listed=listed), 12_000) if s.is_first_of_pass
    ]
    seen = Counter(plate for v in vehicles for plate in {v.front.text, v.rear.text} if plate.startswith("LISTED"))
    assert share(sum(vehicle.listed for vehicle in vehicles), len(vehicles)) == pytest.approx(0.2, abs=0.03)
    assert seen.total() == sum(vehicle.listed for vehicle in vehicles)
    assert all(number == pytest.approx(seen.total() / 4, rel=0.3) for number in seen.values())


def test_a_listed_trailer_is_seen_from_behind_only() -> None:
    listed = Listed((Plate("X12LISTED", "PL"),), (), share=1.0)
    lorries = [
        s.vehicle_pass.vehicle
        for s in islice(sightings("calais", listed=listed), 5000)
        if s.vehicle_pass.vehicle.kind == "lorry"
    ]
    behind = sum(vehicle.front.text != "X12LISTED" for vehicle in lorries)
    assert share(behind, len(lorries)) == pytest.approx(0.9 * 0.25, abs=0.05)
    assert all("X12LISTED" in (vehicle.front.text, vehicle.rear.text) for vehicle in lorries)


def test_other_ports_and_other_seeds_bring_other_vehicles() -> None:
    seen = {
        name: {s.true_plate.text for s in islice(stream, 500)}
        for name, stream in {
            "calais 7": sightings("calais"),
            "coquelles 7": sightings("coquelles"),
            "calais 8": sightings("calais", seed=8),
        }.items()
    }
    assert not seen["calais 7"] & seen["coquelles 7"]
    assert not seen["calais 7"] & seen["calais 8"]


@pytest.mark.parametrize(
    ("style", "written"),
    [("plain", "AB12CDE"), ("lower", "ab12cde"), ("spaced", "AB 12 CDE"), ("hyphened", "AB-12-CDE")],
)
def test_each_camera_writes_plates_in_its_own_style(style: str, written: str) -> None:
    assert Camera("c", "front", "uk_bound", style).write("AB12CDE") == written


def test_every_site_has_cameras_of_several_styles() -> None:
    for site in ("calais", "coquelles", "dunkerque"):
        styles = {camera.style for lane in lanes(SITES[site]) for camera in lane.cameras}
        assert styles == {"plain", "lower", "spaced", "hyphened"}


def test_a_bad_front_plate_often_comes_with_a_bad_rear_plate(a_day: list[Sighting]) -> None:
    wrong: dict[str, dict[str, list[bool]]] = {}
    for sighting in a_day:
        text = sighting.read.plate.upper().replace(" ", "").replace("-", "")
        ends = wrong.setdefault(sighting.vehicle_pass.pass_id, {"front": [], "rear": []})
        ends[sighting.read.position or ""].append(text != sighting.true_plate.text)
    both = [(any(ends["front"]), any(ends["rear"])) for ends in wrong.values() if all(ends.values())]
    bad = [rear for front, rear in both if front]
    good = [rear for front, rear in both if not front]
    assert share(sum(bad), len(bad)) > 1.3 * share(sum(good), len(good))


def test_a_character_that_is_misread_is_often_misread_again_in_the_next_frame(a_day: list[Sighting]) -> None:
    frames: dict[tuple[str, str], list[str]] = {}
    for sighting in a_day:
        if not sighting.is_duplicate and sighting.read.supersedes is None and sighting.true_plate.text:
            text = sighting.read.plate.upper().replace(" ", "").replace("-", "")
            frames.setdefault((sighting.vehicle_pass.pass_id, sighting.read.camera), []).append(
                "" if text == sighting.true_plate.text else text
            )
    after_wrong = [two == one for texts in frames.values() for one, two in pairwise(texts) if one]
    assert share(sum(after_wrong), len(after_wrong)) > 0.4


def test_hauliers_lorries_have_plates_that_follow_one_another(a_day: list[Sighting]) -> None:
    fronts = [
        s.vehicle_pass.vehicle.front for s in a_day if s.is_first_of_pass and s.vehicle_pass.vehicle.kind == "lorry"
    ]
    seen = {plate.text for plate in fronts}
    neighbours = [plate for plate in fronts if plate_syntax.later_plate(plate.country or "", plate.text, 1) in seen]
    assert share(len(neighbours), len(fronts)) > 0.05
    assert len(fronts) - len(seen) > 50, "a fleet's lorries come again"


def test_some_trailers_are_of_another_country_than_their_lorry(a_day: list[Sighting]) -> None:
    own = [
        s.vehicle_pass.vehicle
        for s in a_day
        if s.is_first_of_pass and s.vehicle_pass.vehicle.front != s.vehicle_pass.vehicle.rear
    ]
    foreign = sum(vehicle.front.country != vehicle.rear.country for vehicle in own)
    assert share(foreign, len(own)) == pytest.approx(0.085, abs=0.03)


def test_some_makers_of_cameras_report_confidences_and_some_do_not(a_day: list[Sighting]) -> None:
    cameras = {camera.name: camera for lane in lanes(SITES["calais"]) for camera in lane.cameras}
    assert {camera.reports_confidences for camera in cameras.values()} == {True, False}
    for sighting in a_day:
        confidences = sighting.read.char_confidences
        characters = sum(character.isalnum() for character in sighting.read.plate)
        assert len(confidences) == (characters if cameras[sighting.read.camera].reports_confidences else 0)
        assert cameras[sighting.read.camera].reports_confidences or not sighting.read.candidates
