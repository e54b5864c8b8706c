"""Which reads are decoded whole."""

from datetime import datetime

import msgspec

from anpr.kafka.interfaces import Record
from anpr.kafka.record_batch import RecordBatch
from anpr.matcher.screening import Screening
from anpr.matching.index import Index
from tests.support.strategies import NOON, a_read, an_entry, generation

INDEX = Index.build([an_entry("stolen", plate="AB12CDE")], generation(1))


def a_record(offset: int, plate: str, camera: str = "camera-1", at: datetime | None = NOON) -> Record:
    value = {"read_id": str(offset), "site": "calais", "plate": plate, "camera": camera}
    return Record("reads", 0, offset, at, msgspec.json.encode(value))


class Screened:
    """A matcher's screening of one batch after the other."""

    def __init__(self) -> None:
        self.screening = Screening("calais", ["camera-1", "camera-2"])

    def decoded(self, *records: Record) -> list[int]:
        return [record.offset for record in self.screening.records_to_decode(RecordBatch.of(records), INDEX)]

    def sample(self) -> list[str]:
        return [read.read_id for read in self.screening.take_sample()]


def test_only_the_reads_that_may_match_are_decoded() -> None:
    records = [a_record(n, plate) for n, plate in enumerate(["XX1", "XX2", "AB12CDE", "AB 12-CDE", "XX3"])]
    assert Screened().decoded(*records) == [2, 3]


def test_every_read_of_a_camera_that_the_configuration_does_not_name_is_decoded() -> None:
    assert Screened().decoded(*(a_record(n, f"XX{n}", "who") for n in range(3))) == [0, 1, 2]


def test_a_read_that_replaces_another_is_decoded_for_its_correction() -> None:
    replacing = msgspec.json.encode(a_read("2", camera="camera-1", plate="XX2", supersedes="1"))
    assert Screened().decoded(a_record(0, "XX1"), Record("reads", 0, 1, NOON, replacing)) == [1]


def test_a_read_without_a_time_of_arrival_is_decoded_because_it_may_have_no_time_at_all() -> None:
    assert Screened().decoded(a_record(0, "XX1"), a_record(1, "XX1", at=None)) == [1]


def test_the_sample_has_the_newest_read_of_each_camera_once() -> None:
    """After a burst of reads in one second a camera does not look as if it had been silent since the first."""
    screened = Screened()
    screened.decoded(*(a_record(n, f"XX{n}", camera) for n, camera in enumerate(["camera-1", "camera-2"] * 2)))
    screened.decoded(a_record(4, "XX4"))
    assert sorted(screened.sample()) == ["3", "4"]
    assert screened.sample() == []


def test_a_read_that_was_decoded_for_another_reason_is_not_sampled_again() -> None:
    screened = Screened()
    assert screened.decoded(a_record(0, "XX1"), a_record(1, "AB12CDE")) == [1]
    assert screened.sample() == []
