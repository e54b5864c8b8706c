"""With any seed and list, traffic is repeatable and keeps the contract, and its ground truth is right."""

import json
from datetime import UTC, datetime, timedelta
from io import BytesIO
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from anpr.contracts import events
from anpr.contracts.events import Entry, Generation, Read
from anpr.matching.index import Index
from anpr.reads.decoder import decode_read
from anpr.runtime.settings_files import load_settings
from simulators.cameras import lanes
from simulators.expected_alerts import Watchlist
from simulators.ground_truth import GroundTruth
from simulators.lines_file import LinesFile
from simulators.run import RunCounts, SimulatedTime, Sink, run
from simulators.stop_request import StopRequest
from simulators.traffic import Listed, Sighting, traffic
from simulators.vehicles import Plate

START = datetime(2026, 6, 1, 8, tzinfo=UTC)
SITES = load_settings(Path(__file__).parents[3] / "config", {}).sites
ONE = Generation(epoch=1, number=1)
TWINS = str.maketrans("01OI", "OI01")

sites = st.sampled_from(["calais", "coquelles", "dunkerque"])
seeds = st.integers(0, 2**32)
times_of_day_s = st.integers(0, 86_399)


def some_traffic(site: str, seed: int, at_s: float, listed: Listed | None, records: int) -> list[Sighting]:
    return list(islice(traffic(site, lanes(SITES[site]), seed, at_s=at_s, listed=listed), records))


def published(
    sightings: list[Sighting], watchlist: Watchlist, speed: float
) -> tuple[list[bytes], list[dict[str, Any]]]:
    """Return the records that a run publishes, and the truth that it writes."""
    reads, lines = BytesIO(), BytesIO()
    truth = GroundTruth(watchlist, LinesFile(lines))
    sinks: list[Sink] = [truth, LinesFile(reads)]
    run(sightings, SimulatedTime(START, speed), sinks, StopRequest(), RunCounts(), until_s=1e9)
    truth.close()
    return reads.getvalue().splitlines(), [json.loads(line) for line in lines.getvalue().splitlines()]


def a_list(sightings: list[Sighting], rng: Random) -> list[Entry]:
    """Return a list with some of the traffic: as shown, as read, or with the other glyph; valid or not."""
    texts = [rng.choice((sighting.true_plate.text, sighting.read.plate)) for sighting in rng.sample(sightings, 25)]
    return [
        Entry(
            entry_id=f"E{number}",
            revision=ONE,
            list="made",
            plate=text.translate(TWINS) if rng.random() < 0.3 else text,
            valid_from=START + timedelta(seconds=rng.uniform(0, 60)) if rng.random() < 0.2 else None,
            valid_until=START + timedelta(seconds=rng.choice((30, 86_400))),
            sites=rng.choice(((), (), ("calais",), ("coquelles", "dover"))),
            directions=rng.choice(((), ("uk_bound",), ("fr_bound",))),
            tolerance=rng.choice(events.TOLERANCES),
        )
        for number, text in enumerate(texts * 2)
    ]


@given(site=sites, seed=seeds, at_s=times_of_day_s)
def test_the_same_seed_gives_the_same_bytes(site: str, seed: int, at_s: int) -> None:
    listed = Listed((Plate("AB12CDE", "GB"), Plate("X1", None)), share=0.1)
    first, again = (published(some_traffic(site, seed, at_s, listed, 150), Watchlist(()), speed=60) for _ in range(2))
    assert first == again


@given(site=sites, seed=seeds, at_s=times_of_day_s, speed=st.floats(0.1, 10_000))
@example(site="coquelles", seed=25_977, at_s=25_975, speed=1.0)  # a fragment of two letters, NC, says "no plate"
def test_every_read_keeps_the_contract(site: str, seed: int, at_s: int, speed: float) -> None:
    values, _ = published(some_traffic(site, seed, at_s, None, 150), Watchlist(()), speed)
    for value in values:
        read = decode_read(value, site, None)
        assert read.dropped_fields == ()
        assert not read.clock_suspect
        assert read.camera in {camera.name for camera in SITES[site].cameras}
        sent = json.loads(value)
        assert set(sent) <= set(Read.__struct_fields__) - {
            "received_at",
            "clock_suspect",
            "dropped_fields",
            "claimed_at",
        }
        assert None not in sent.values(), "a camera leaves out the fields that it does not know"


@given(site=sites, seed=seeds, speed=st.sampled_from([1.0, 60.0]))
@example(site="coquelles", seed=806_223, speed=1.0)  # as above
def test_the_truth_is_what_the_matcher_finds(site: str, seed: int, speed: float) -> None:
    sightings = some_traffic(site, seed, 8 * 3600, None, 400)
    entries = a_list(sightings, Random(seed))
    values, truth = published(sightings, Watchlist(entries), speed)
    reads = {read.read_id: read for read in (decode_read(value, site, None) for value in values)}
    matched = {
        (read.read_id, match.entry.entry_id, match.tier)
        for read, matches in zip(reads.values(), Index.build(entries, ONE).match(list(reads.values())), strict=True)
        for match in matches
        if match.tier in ("exact", "equivalent")
    }
    expected = [(e["read_id"], e["entry_id"], e["tier"]) for line in truth for e in line["expected"]]
    assert len(expected) == len(set(expected)), "a repeated record raises no second alert"
    assert set(expected) == matched
    superseded = {e["read_id"] for line in truth for e in line["expected"] if e.get("superseded")}
    assert superseded == {read_id for read_id, _, _ in matched} & {read.supersedes for read in reads.values()}


@given(seed=seeds)
def test_every_pass_of_a_listed_vehicle_is_in_the_truth_with_the_reads_that_missed_it(seed: int) -> None:
    entry = Entry(entry_id="E", revision=ONE, list="made", plate="AB01CDE", valid_until=START + timedelta(days=1))
    sightings = some_traffic("calais", seed, 8 * 3600, Listed((Plate("AB01CDE", "GB"),), share=0.3), 300)
    _, truth = published(sightings, Watchlist([entry]), speed=1)
    assert {line["pass_id"] for line in truth} >= {
        s.vehicle_pass.pass_id for s in sightings if s.vehicle_pass.vehicle.listed
    }
    alerted = {e["read_id"] for line in truth for e in line["expected"]}
    missed = {read_id for line in truth for read_id in line["misread"]}
    shown = {s.read.read_id for s in sightings if s.true_plate.text == "AB01CDE"}
    assert alerted & missed == set()
    assert alerted | missed == shown


@given(seed=seeds)
def test_guesses_name_the_vehicle_that_was_there(seed: int) -> None:
    until = START + timedelta(days=1)
    plate = Entry(entry_id="PLATE", revision=ONE, list="made", plate="AB01CDE", valid_until=until)
    entries = [
        plate,
        replace(plate, entry_id="EXACT", tolerance="exact"),
        replace(plate, entry_id="PATTERN", plate="AB?1*"),
        replace(plate, entry_id="ELSEWHERE", sites=("dunkerque",)),
    ]
    sightings = some_traffic("calais", seed, 8 * 3600, Listed((Plate("AB01CDE", "GB"),), share=0.3), 300)
    _, truth = published(sightings, Watchlist(entries), speed=1)
    shown = {s.read.read_id: s.true_plate.text for s in sightings}
    misread = {read_id for line in truth for read_id in line["misread"]}
    guesses = {guess["read_id"]: guess["entries"] for line in truth for guess in line["guesses"]}
    assert {read_id for read_id, entries in guesses.items() if "PLATE" in entries} == misread
    assert {read_id for read_id, entries in guesses.items() if "PATTERN" in entries} >= {
        read_id for read_id, text in shown.items() if text == "AB01CDE"
    }
    assert {entry for entries in guesses.values() for entry in entries} <= {"PLATE", "PATTERN"}
