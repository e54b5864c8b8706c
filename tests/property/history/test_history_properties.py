"""Nothing is lost and nothing is there twice, wherever the process is killed; and every match can be looked up."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anpr.contracts.events import Candidate, Read
from anpr.contracts.plates import MAX_CANONICAL_LENGTH, as_read
from anpr.history.day_batches import day_batches
from anpr.history.sighting import Sighting, Source, decode_stored, encode_read, sightings_of
from anpr.history.sighting_store import SightingStore
from anpr.kafka.interfaces import Record
from anpr.matching.index import Index
from anpr.matching.read_keys import folded_key, read_keys
from tests.support.history import SITE, read_record, record_all
from tests.support.strategies import a_read, an_entry, generation, reads

# Seconds of the broker's clock around midnight. It may step back.
seconds = st.integers(0, 5)


@st.composite
def topics(draw: st.DrawFn) -> list[Record]:
    """Draw the records of a topic of two partitions, in the order in which a reader gets them."""
    arrived = draw(st.lists(st.tuples(st.integers(0, 1), seconds), max_size=12))
    counts = [0, 0]
    records = []
    for partition, second in arrived:
        records.append(read_record(counts[partition], second, partition=partition))
        counts[partition] += 1
    return records


class KilledError(Exception):
    """The process was killed before it committed."""


class Files(SightingStore):
    """Day files, each committed by itself, whose process is killed after some commits."""

    def __init__(self) -> None:
        self.commits_left = 0
        self.files: dict[date, dict[tuple[Source, int], Sighting]] = {}
        self.offsets: dict[date, dict[Source, int]] = {}

    def add(self, day: date, rows: Sequence[Sighting], offsets: Mapping[Source, int], erased: object = None) -> None:
        assert erased is None
        if not self.commits_left:
            raise KilledError
        self.commits_left -= 1
        kept = self.files.setdefault(day, {})
        for sighting in rows:
            position = (sighting.source, sighting.offset)
            assert position not in kept, "it is there already"
            kept[position] = sighting
        self.offsets[day] = self.offsets.get(day, {}) | dict(offsets)

    def next_offsets(self) -> dict[Source, int]:
        found: dict[Source, int] = {}
        for offsets in self.offsets.values():
            for source, offset in offsets.items():
                found[source] = max(offset, found.get(source, 0))
        return found


def unread(topic: list[Record], store: SightingStore) -> list[Record]:
    offsets = store.next_offsets()
    return [record for record in topic if record.offset >= offsets.get(Source("topic-1", record.partition), 0)]


@given(topics(), st.lists(st.integers(0, 3), max_size=4))
def test_wherever_it_is_killed_the_sightings_are_those_of_a_rebuild(topic: list[Record], lives: list[int]) -> None:
    files = Files()
    for files.commits_left in [*lives, 1000]:
        with suppress(KilledError):
            record_all(files, *unread(topic, files))
    kept = [sighting for rows in files.files.values() for sighting in rows.values()]
    assert by_position(kept) == by_position(sightings_of(SITE, topic, "topic-1"))
    assert len(kept) == len(topic)
    assert not unread(topic, files)


def by_position(sightings: Iterable[Sighting]) -> dict[tuple[Source, int], Sighting]:
    return {(sighting.source, sighting.offset): sighting for sighting in sightings}


@given(topics())
def test_a_commit_never_notes_an_offset_behind_a_record_that_is_not_committed(topic: list[Record]) -> None:
    committed: set[tuple[int, int]] = set()
    for batch in day_batches(topic):
        committed |= {(record.partition, record.offset) for record in batch.records}
        for partition, next_offset in batch.next_offsets().items():
            assert {(partition, offset) for offset in range(next_offset)} <= committed
    assert len(committed) == len(topic)


@given(reads)
def test_every_read_comes_out_of_the_store_as_it_went_in(read: Read) -> None:
    assert decode_stored(encode_read(read)) == read


def one_edit(key: str, other: str) -> bool:
    """Tell whether one insertion, deletion, substitution or swap of neighbours, or none, makes the texts equal."""
    return key == other or other in set(edits(key))


def edits(key: str) -> Iterator[str]:
    alphabet = set("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789?")
    for position in range(len(key) + 1):
        head, tail = key[:position], key[position:]
        yield from (head + character + tail for character in alphabet)
        if tail:
            yield head + tail[1:]
            yield from (head + character + tail[1:] for character in alphabet)
        if len(tail) > 1:
            yield head + tail[1] + tail[0] + tail[2:]


plates = st.text("AB8O01I2CDE?", min_size=4, max_size=8)
around = st.sampled_from(("", "", "", "GB", "F", "UK ", "TAXI"))


@given(plates, plates, around, around, st.sampled_from((None, "GB", "FR", "DE")), st.booleans())
def test_a_read_that_matches_a_plate_is_found_by_its_keys_or_one_edit_from_them(  # noqa: PLR0913, PLR0917
    listed: str, other: str, before: str, behind: str, country: str | None, is_candidate: bool
) -> None:
    listed = listed.replace("?", "B")
    text = before + listed + behind
    fields: dict[str, Any] = (
        {"plate": other, "candidates": (Candidate(plate=text),)} if is_candidate else {"plate": text}
    )
    read = a_read(country=country, **fields)
    index = Index.build([an_entry(plate=listed, tolerance="near"), an_entry("2", plate=other)], generation(1))
    [keys] = read_keys([read])
    for match in index.match([read])[0]:
        if match.tier != "pattern":
            wanted = folded_key(match.entry.plate)
            assert any(one_edit(wanted, key) for key in keys), (match.tier, keys)


@given(st.text(max_size=20))
def test_a_text_has_a_key_if_it_can_be_a_plate(text: str) -> None:
    length = len(as_read(text))
    assert bool(folded_key(text)) == (0 < length <= MAX_CANONICAL_LENGTH)
    assert folded_key(folded_key(text)) == folded_key(text)


@pytest.mark.parametrize(
    ("fields", "keys"),
    [
        ({"plate": "AB12 CDE"}, {"4812C0E"}),
        ({"plate": "AB12 CDE", "country": "GB", "candidates": (Candidate(plate="A812CDE"),)}, {"4812C0E"}),
        ({"plate": "UNKNOWN", "dropped_fields": ("plate",), "candidates": (Candidate(plate="XV 1"),)}, {"XV1"}),
    ],
)
def test_the_keys_of_a_read_are_those_of_its_texts(fields: dict[str, Any], keys: set[str]) -> None:
    [found] = read_keys([a_read(**fields)])
    assert set(found) == keys
