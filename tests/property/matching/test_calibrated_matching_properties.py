"""With calibrated cameras a read matches the same however it comes: scanned, decoded, alone, live or offline."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
from hypothesis import assume, event, example, given
from hypothesis import strategies as st
from msgspec import UNSET

from anpr.backtest.replay import BacktestReplay
from anpr.contracts.events import Alert, Candidate, Correction, Entry, Read
from anpr.contracts.local_days import UTC_DAYS
from anpr.kafka.interfaces import Record
from anpr.kafka.record_batch import RecordBatch
from anpr.matcher.alerts import raise_alerts, raise_retrospective
from anpr.matcher.screening import Screening
from anpr.matching.encoding.plain_reads import ReadScanner
from anpr.matching.index import Index
from anpr.matching.read_texts import texts_of
from anpr.matching.scoring.confidence_calibration import Calibrations
from anpr.reads.decoder import decode_read
from tests.property.matching.test_index_properties import ZONES, first_plates, found, lists, reads_of
from tests.support.calibrations import OFTEN_UNSURE
from tests.support.history import written
from tests.support.reference_matcher import answers
from tests.support.strategies import NOON, a_read, an_entry, confidence_counts, generation

Counts = Mapping[tuple[str, str], Sequence[int]]

CAMERAS = ["camera-1", "camera-2", "camera-3"]
cameras = st.sampled_from(CAMERAS)
counts = st.dictionaries(st.tuples(st.sampled_from(["calais", "dover"]), cameras), confidence_counts(), max_size=4)
shares = st.none() | st.floats(0, 1) | st.sampled_from([0.3, 0.6, 0.9, 0.95])
# A read of another letter, behind a prefix, with a text around it, in a district, with umlauts written out.
texts = st.sampled_from(
    ["AB1ZCDE", "A8I2CDE", "GBAB12CDE", "AB12CDEAB12CDE", "BMW555", "KOE AB 1", "XY99ZZ2", "AB12CD"]
)
LISTED = [
    an_entry(str(number), plate=plate, country=country, tolerance="near")
    for number, (plate, country) in enumerate([
        ("AB12CDE", "GB"), ("B-MW 555", "DE"), ("KÖ-AB 1", "DE"), ("XY99ZZZ", None), ("AB1*", None)
    ])
]  # fmt: skip


def calibrated(entries: Sequence[Entry], of: Counts) -> Index:
    return replace(Index.build(entries, generation(1)), calibrations=Calibrations.of(of))


@st.composite
def usual_reads(draw: st.DrawFn) -> Read:
    candidates = draw(st.lists(st.builds(Candidate, plate=texts, confidence=shares), max_size=2))
    return a_read(
        draw(st.text("0123456789", min_size=1, max_size=9)),
        plate=draw(texts),
        camera=draw(cameras),
        site="calais",
        country=draw(st.sampled_from(["GB", "DE", None])),
        confidence=draw(shares),
        candidates=tuple(candidates),
    )


@given(first_plates(), counts, st.data())
def test_it_finds_what_reading_the_whole_list_finds(first: str, of: Counts, data: st.DataObject) -> None:
    entries = data.draw(lists(first))
    batch = [
        msgspec.structs.replace(read, camera=data.draw(cameras))
        for read in data.draw(st.lists(reads_of(first), max_size=6))
    ]
    assert found(calibrated(entries, of), batch) == [answers(read, entries, ZONES, of) for read in batch]


@given(st.lists(usual_reads(), max_size=6), counts)
def test_the_scanned_columns_are_those_of_decoded_reads_to_the_last_bit(batch: list[Read], of: Counts) -> None:
    calibrations = Calibrations.of(of)
    scanned = ReadScanner("calais", CAMERAS).scan([written(read) for read in batch])
    assume(scanned.are_plain.all())
    rows = calibrations.rows_of(("calais", camera) for camera in CAMERAS)
    columns: tuple[Any, ...] = calibrations.apply(scanned.texts, rows[scanned.cameras[scanned.read_rows]])
    for number, read in enumerate(batch):
        decoded = decode_read(written(read), "calais", NOON)
        whole: tuple[Any, ...] = texts_of([decoded], calibrations).columns
        for own, expected in zip(columns, whole, strict=True):
            assert own[scanned.read_rows == number].tobytes() == expected.tobytes()


@given(st.lists(usual_reads(), max_size=6), counts)
def test_a_read_that_is_screened_out_matches_nothing(batch: list[Read], of: Counts) -> None:
    index = calibrated(LISTED, of)
    records = [Record("reads", 0, offset, NOON, written(read)) for offset, read in enumerate(batch)]
    kept = {
        record.offset for record in Screening("calais", CAMERAS).records_to_decode(RecordBatch.of(records), index)
    }
    event(f"screened out: {len(records) - len(kept)}")
    for offset, matches in enumerate(index.match([decode_read(written(read), "calais", NOON) for read in batch])):
        assert not matches or offset in kept


@given(st.lists(usual_reads(), max_size=6, unique_by=lambda read: read.read_id), counts)
def test_live_dry_run_and_back_check_judge_alike(batch: list[Read], of: Counts) -> None:
    index, late_after = calibrated(LISTED, of), timedelta(days=9)

    def judged(alerts: Sequence[Alert | Correction]) -> list[tuple[str, str, float, str]]:
        return sorted(
            (alert.alert_id, alert.tier, alert.score, alert.explanation.calibration or "")
            for alert in alerts
            if isinstance(alert, Alert)
        )

    reads = [decode_read(written(read), "calais", NOON) for read in batch]
    live = judged(raise_alerts(reads, index, NOON, late_after, UTC_DAYS))
    event(f"alerts: {min(len(live), 3)}")
    event(f"calibrated: {any(calibration for *_, calibration in live)}")
    assert live == judged(raise_retrospective(reads, index, NOON, UTC_DAYS, lambda _: True))
    for is_back_check in (False, True):
        replay = BacktestReplay(
            LISTED, late_after, UTC_DAYS, calibrations=Calibrations.of(of), is_back_check=is_back_check
        )
        assert live == judged([alert for read in batch for alert in replay.match_line(written(read))[1]])


@given(usual_reads(), counts)
@example(a_read(plate="AB1ZCDE", site="calais", confidence=0.0), {("calais", "camera-2"): OFTEN_UNSURE})
def test_a_camera_without_a_calibration_is_judged_as_if_no_camera_had_one(read: Read, of: Counts) -> None:
    others = {name: of_camera for name, of_camera in of.items() if name != (read.site, read.camera)}
    plain = Index.build(LISTED, generation(1))
    assert calibrated(LISTED, others).match([read]) == plain.match([read])
    assert calibrated(LISTED, {}).match([read]) == plain.match([read])


@given(usual_reads(), counts)
def test_a_pattern_scores_by_what_the_camera_says(read: Read, of: Counts) -> None:
    pattern = [an_entry("pattern", plate="AB1*")]
    assert calibrated(pattern, of).match([read]) == Index.build(pattern, generation(1)).match([read])


@given(st.lists(usual_reads(), max_size=3), counts)
def test_a_change_of_a_list_and_its_compaction_leave_the_calibrations(batch: list[Read], of: Counts) -> None:
    *some, last = LISTED
    changed = calibrated([*some, an_entry("gone", plate="GO99NEE")], of).with_changes([last], ["gone"], generation(2))
    assert changed.match(batch) == calibrated(LISTED, of).match(batch)
    assert changed.compacted().match(batch) == changed.match(batch)


@given(st.lists(usual_reads(), min_size=2, max_size=6), counts)
def test_a_read_is_judged_the_same_alone_and_in_a_batch(batch: list[Read], of: Counts) -> None:
    index = calibrated(LISTED, of)
    assert index.match(batch) == [index.match([read])[0] for read in batch]


def test_a_seldom_doubt_of_a_sure_camera_is_not_screened_out() -> None:
    """It matches only as calibrated, so the scan must be calibrated too."""
    seldom = tuple({95: 100, 99: 9_900}.get(hundredth, 0) for hundredth in range(101))
    read = a_read(plate="AB12CXE", country="GB", camera="camera-1", confidence=0.95)
    record = Record("reads", 0, 0, NOON, written(read))
    plain, index = calibrated(LISTED[:1], {}), calibrated(LISTED[:1], {("calais", "camera-1"): seldom})
    other = calibrated(LISTED[:1], {("calais", "camera-2"): seldom, ("calais", "camera-1"): OFTEN_UNSURE})
    screening = Screening("calais", CAMERAS)
    in_turn = [len(screening.records_to_decode(RecordBatch.of([record]), each)) for each in (plain, index, other) * 2]
    assert in_turn == [0, 1, 0] * 2, "as the calibrations change"
    assert (plain.match([read]), len(index.match([read])[0])) == ([[]], 1)


def test_a_doubt_that_a_camera_often_has_speaks_less_for_a_misread() -> None:
    """The case for which there are calibrations: a near match by an engine that is nearly always unsure."""
    read = a_read(plate="AB12CDG", country="GB", camera="camera-1", confidence=0.6)
    [[before]] = Index.build(LISTED[:1], generation(1)).match([read])
    [[after]] = calibrated(LISTED[:1], {("calais", "camera-1"): OFTEN_UNSURE}).match([read])
    assert (before.tier, after.tier) == ("near", "near")
    assert after.score < before.score / 2
    assert after.explanation.calibration == "the camera says 0.60, which counts as 0.91 for this camera"
    assert before.explanation.calibration is UNSET
    assert after.explanation.notes == before.explanation.notes == (), "it is in no short line of a board"
