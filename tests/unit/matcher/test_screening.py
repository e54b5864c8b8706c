"""Which reads are decoded whole."""

from datetime import datetime, timedelta

import msgspec

from anpr.kafka.interfaces import Record
from anpr.matcher.camera_sample import CameraSample
from anpr.matcher.screening import records_to_decode
from anpr.matching.index import Index
from tests.support.strategies import NOON, a_read, an_entry, generation

INDEX = Index.build([an_entry("stolen", plate="AB12CDE")], generation(1))


def a_record(offset: int, plate: str, camera: str = "camera-1", at: datetime = NOON) -> Record:
    value = {"read_id": str(offset), "site": "calais", "plate": plate, "camera": camera}
    return Record("reads", 0, offset, at, msgspec.json.encode(value))


def decoded(*records: Record) -> list[int]:
    sample = CameraSample(["camera-1", "camera-2"])
    return [record.offset for record in records_to_decode(records, "calais", INDEX, sample.is_chosen)]


def test_of_reads_in_one_second_the_first_and_those_that_may_match_are_decoded() -> None:
    assert decoded(*(a_record(n, plate) for n, plate in enumerate(["XX1", "XX2", "AB12CDE", "XX3"]))) == [0, 2]


def test_at_a_ports_usual_pace_every_read_is_decoded() -> None:
    records = [a_record(n, f"XX{n}", at=NOON + timedelta(seconds=n)) for n in range(5)]
    assert decoded(*records) == [0, 1, 2, 3, 4]


def test_each_camera_has_a_sample_of_its_own() -> None:
    records = [a_record(n, f"XX{n}", camera) for n, camera in enumerate(["camera-1", "camera-2"] * 2)]
    assert decoded(*records) == [0, 1]


def test_every_read_of_a_camera_that_the_configuration_does_not_name_is_decoded() -> None:
    assert decoded(*(a_record(n, f"XX{n}", "who") for n in range(3))) == [0, 1, 2]


def test_a_read_that_replaces_another_is_decoded_for_its_correction() -> None:
    replacing = msgspec.json.encode(a_read("2", camera="camera-1", plate="XX2", supersedes="1"))
    assert decoded(a_record(0, "XX1"), Record("reads", 0, 1, NOON, replacing)) == [0, 1]
