"""SQLite and PostgreSQL erase a vehicle alike, and nothing brings it back: one suite, run on both."""

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from anpr.contracts.look_up import LookUp
from anpr.history.database import HistoryUnavailableError
from anpr.history.erasure import VehicleHeld, erase_vehicle, find_vehicle
from anpr.history.recorder import Recorder
from anpr.history.retention import KeptStores
from anpr.history.sighting import Sighting, Source, sightings_of
from anpr.kafka.interfaces import Record
from anpr.matching.read_keys import folded_key
from tests.contract.history.test_retention import COVERT, OPEN, alert_about, publish
from tests.support.history import EVENING, SITE, TopicInMemory, at, everything, read_record, record_all
from tests.support.kept_stores import kept_stores

PLATE = "AB12 CDE"
REPEAT: dict[str, Any] = {"read_id": "again", "captured_at": EVENING}
RECORDS = [
    read_record(0, plate=PLATE),
    read_record(1, plate=PLATE),
    read_record(2, plate=PLATE),
    read_record(3, plate="AB12 CDF"),
    read_record(4, plate="XY99 ZZZ"),
    read_record(5, 1, plate=PLATE, **REPEAT),
    read_record(6, 5, plate=PLATE, **REPEAT),
    read_record(7, 5, plate=PLATE),
]
UNMATCHED, EVIDENCE, NEAR, OTHER = [0, 5, 6, 7], OPEN, 3, 4


def question(plate: str = PLATE) -> LookUp:
    return LookUp(
        plate=plate,
        since=datetime(2000, 1, 1, tzinfo=UTC),
        until=datetime(2100, 1, 1, tzinfo=UTC),
        reason="request 4711",
        user="ann",
        role="command line",
        asking_site=SITE,
    )


def fill(stores: KeptStores) -> VehicleHeld:
    """Store reads, of which one has an open alert and one a covert one, and return what is held of the vehicle."""
    record_all(stores.sightings, *RECORDS)
    publish(stores.facts, alert_about(RECORDS[EVIDENCE], "open"))
    publish(stores.covert_facts, alert_about(RECORDS[COVERT], "covert"))
    return find_vehicle(stores, question())


def offsets(stores: KeptStores) -> list[int]:
    return sorted(sighting.offset for sighting in everything(stores.sightings))


def test_what_matched_nothing_goes_and_evidence_and_other_vehicles_stay(
    open_stores: Callable[[], KeptStores],
) -> None:
    stores = open_stores()
    held = fill(stores)
    assert (len(held.going), len(held.evidence), held.possible_misreads) == (5, 1, 1)
    assert erase_vehicle(stores, held) == 5
    assert offsets(stores) == [EVIDENCE, NEAR, OTHER]
    again = find_vehicle(stores, question())
    assert (again.going, len(again.evidence)) == ([], 1)


def test_to_those_who_may_not_know_a_sighting_of_a_covert_alert_is_erased_like_the_others(
    open_stores: Callable[[], KeptStores],
) -> None:
    stores = open_stores()
    erase_vehicle(stores, fill(stores))
    assert COVERT not in offsets(stores)
    assert everything(stores.matched) == []
    assert [sighting.offset for sighting in everything(stores.matched_covert)] == [COVERT]


def rebuild(stores: KeptStores, *records: Record) -> None:
    """Read the topic again into an empty store, as a service does that has lost its disk."""
    for day in stores.sightings.days():
        stores.sightings.drop(day)
    may_keep = stores.erased.may_keep()

    def kept(records: Sequence[Record], topic_id: str) -> list[Sighting]:
        return list(filter(may_keep, sightings_of(SITE, records, topic_id)))

    Recorder(TopicInMemory(records), stores.sightings, kept).run_once(0)


def test_a_rebuild_from_the_topic_brings_nothing_back_and_takes_what_is_new(
    open_stores: Callable[[], KeptStores],
) -> None:
    stores = open_stores()
    erase_vehicle(stores, fill(stores))
    stores = open_stores()
    rebuild(stores, *RECORDS, read_record(8, 9, plate=PLATE))
    assert offsets(stores) == [EVIDENCE, NEAR, OTHER, 8], "a vehicle that is seen again is kept like every other"


def test_an_erasure_that_was_broken_off_is_finished_by_the_next(
    open_stores: Callable[[], KeptStores], monkeypatch: pytest.MonkeyPatch
) -> None:
    stores = open_stores()
    held = fill(stores)

    with monkeypatch.context() as patched:
        patched.setattr(stores.sightings, "erase", broken_off)
        with pytest.raises(KeyboardInterrupt):
            erase_vehicle(stores, held)
    stores = open_stores()
    assert erase_vehicle(stores, find_vehicle(stores, question())) == 5
    assert offsets(stores) == [EVIDENCE, NEAR, OTHER]
    assert len(everything(stores.matched_covert)) == 1


def test_an_erasure_that_was_broken_off_is_finished_by_that_of_another_vehicle(
    open_stores: Callable[[], KeptStores], monkeypatch: pytest.MonkeyPatch
) -> None:
    stores = open_stores()
    held = fill(stores)
    with monkeypatch.context() as patched:
        patched.setattr(stores.sightings, "erase", broken_off)
        with pytest.raises(KeyboardInterrupt):
            erase_vehicle(stores, held)
    stores = open_stores()
    erase_vehicle(stores, find_vehicle(stores, question("XY99 ZZZ")))
    assert offsets(stores) == [EVIDENCE, NEAR]
    assert len(everything(stores.matched_covert)) == 1


def test_a_batch_that_is_being_stored_during_an_erasure_brings_nothing_back(
    open_stores: Callable[[], KeptStores], monkeypatch: pytest.MonkeyPatch
) -> None:
    stores = open_stores()
    held = fill(stores)
    is_noted, note = threading.Event(), stores.erased.note

    def noted(reads: Mapping[date, Collection[bytes]]) -> None:
        note(reads)
        is_noted.set()

    monkeypatch.setattr(stores.erased, "note", noted)
    erasing = threading.Thread(target=erase_vehicle, args=(stores, held))

    def known_before() -> Callable[[bytes], bool]:
        known = stores.erased.erased()
        erasing.start()
        assert is_noted.wait(60)
        erasing.join(0.5)  # without a lock on the day it ends meanwhile, before the batch is there
        return known

    batch = sightings_of(SITE, [read_record(8, 5, plate=PLATE, **REPEAT)], "topic-1")
    stores.sightings.add(date(2026, 11, 30), batch, {Source("topic-1", 0): 9}, known_before)
    erasing.join()
    assert offsets(stores) == [EVIDENCE, NEAR, OTHER]


def test_without_the_key_nothing_is_stored_that_could_have_been_erased(
    open_stores: Callable[[], KeptStores], tmp_path: Path
) -> None:
    stores = open_stores()
    erase_vehicle(stores, fill(stores))
    key = tmp_path / "erasure.key"
    assert key.stat().st_mode & 0o777 == 0o600
    whole = key.read_bytes()
    for broken in (b"", whole[:10], b"not a key"):
        key.write_bytes(broken)
        with pytest.raises(HistoryUnavailableError, match="the key of erased reads") as caught:
            stores.erased.may_keep()
        assert caught.value.code == "history-erasure-key"
    key.unlink()
    with pytest.raises(HistoryUnavailableError, match="No such file"):
        stores.erased.may_keep()
    with pytest.raises(HistoryUnavailableError, match="No such file"):
        stores.erased.note({date(2026, 11, 29): [b"another read"]})
    assert not key.exists(), "another key would let what was erased come back"


def test_without_its_key_a_hash_says_nothing_about_a_read(
    open_stores: Callable[[], KeptStores], tmp_path: Path
) -> None:
    stores = open_stores()
    held = fill(stores)
    erase_vehicle(stores, held)
    (tmp_path / "erasure.key").write_text("00" * 32)
    may_keep = stores.erased.may_keep()
    assert all(map(may_keep, held.going))


def test_an_erasure_leaves_no_byte_of_the_plate_in_the_files(tmp_path: Path) -> None:
    stores = kept_stores(tmp_path, "", "")
    others = [read_record(number, plate=f"ZZ{number:03} AAA") for number in range(10, 400)]
    gone = [read_record(number, plate="GO07 NEX", position="rear") for number in range(400, 450)]
    record_all(stores.sightings, *others[:200], *gone, *others[200:])
    marks = [b"GO07 NEX", folded_key("GO07NEX").encode()]
    assert all(found_in(tmp_path, mark) for mark in marks)
    look_up = stores.sightings.with_keys([folded_key("ZZ010AAA")], at(-10), at(10))
    next(look_up)
    look_up.close()
    assert erase_vehicle(stores, find_vehicle(stores, question("GO07 NEX"))) == 50
    assert not any(found_in(tmp_path, mark) for mark in marks), "while the service goes on"
    stores.close()
    assert not any(found_in(tmp_path, mark) for mark in marks)


def broken_off(*_: object) -> int:
    raise KeyboardInterrupt


def found_in(folder: Path, mark: bytes) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file() and mark in file.read_bytes()]
