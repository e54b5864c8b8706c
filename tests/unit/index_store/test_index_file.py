"""An index from a file gives the same answers as the one that was written, or is refused."""

from collections.abc import Callable

import pytest

from anpr.contracts.events import Entry
from anpr.index_store.index_file import (
    DamagedError,
    OpenedDelta,
    OpenedIndex,
    decode_delta,
    decode_snapshot,
    encode_delta,
    encode_snapshot,
)
from anpr.matching import index as index_module
from anpr.matching.index import Index
from tests.support.strategies import NOON, a_read, an_entry, generation

LISTS = {
    "empty": [],
    "one": [an_entry("a")],
    "several": [an_entry("a"), an_entry("b", plate="AB12CDF", tolerance="near"), an_entry("c", plate="X" * 16)],
    "patterns": [an_entry("a", plate="AB?2*"), an_entry("b", plate="*12C*"), an_entry("c")],
    "fragments": [an_entry(name, plate=f"*{name}*") for name in ("2CD", "12CDE", "CDE", "AB1?C", "B?2?D", "CDX")],
}
READS = [a_read(), a_read(plate="AB12CDE", country="GB"), a_read(plate="X" * 16), a_read(plate="ZZ")]


def written(index: Index) -> bytes:
    return b"".join(encode_snapshot(index, NOON))


def opened(content: bytes) -> OpenedIndex:
    return decode_snapshot(memoryview(content))


@pytest.mark.parametrize("name", LISTS)
def test_an_index_from_a_file_answers_as_the_one_that_was_written(name: str) -> None:
    index = Index.build(LISTS[name], generation(3))
    read = opened(written(index))
    assert (read.applied_at, read.index.generation, read.index.size) == (NOON, generation(3), len(LISTS[name]))
    assert read.index.match(READS) == index.match(READS)
    assert list(read.index.entries()) == LISTS[name]


def test_an_index_from_a_file_can_be_changed() -> None:
    read = opened(written(Index.build(LISTS["several"], generation(3))))
    changed = read.index.with_changes([an_entry("d", plate="ZZ")], ["a"], generation(4))
    assert ids(changed) == [["b"], ["b"], ["c"], ["d"]]


@pytest.mark.parametrize(
    ("put", "removed"),
    [([an_entry("d", plate="ZZ")], ["a"]), ([], ["b", "c"]), ([an_entry("a", plate="ZZ")], []), ([], [])],
    ids=["both", "removals alone", "a change alone", "nothing"],
)
def test_a_snapshot_and_its_delta_from_files_make_the_index_that_was_written(
    put: list[Entry], removed: list[str]
) -> None:
    snapshot = opened(written(Index.build(LISTS["several"], generation(3)))).index
    index = snapshot.with_changes(put, removed, generation(4))
    read = delta_of(index).index([snapshot.snapshot], snapshot.generation)
    assert (read.generation, read.size) == (generation(4), index.size)
    assert read.match(READS) == index.match(READS)
    assert list(read.entries()) == list(index.entries())
    again = read.with_changes([an_entry("e", plate="ZZ")], ["b"], generation(5))
    assert again.match(READS) == index.with_changes([an_entry("e", plate="ZZ")], ["b"], generation(5)).match(READS)


def delta_of(index: Index) -> OpenedDelta:
    return decode_delta(memoryview(b"".join(encode_delta(index, NOON))))


def test_the_newest_of_two_deltas_says_what_has_left_the_layers_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_module, "_ALWAYS_JOINED", 0)
    monkeypatch.setattr(index_module, "_JOIN_FACTOR", 1)
    snapshot = opened(written(Index.build(LISTS["several"], generation(3)))).index
    older = snapshot.with_changes([an_entry("d", plate="ZZ"), an_entry("e", plate="ZZ")], ["a"], generation(4))
    newest = older.with_changes([an_entry("f", plate="ZZ")], ["b", "d"], generation(5))
    tables = [snapshot.snapshot, delta_of(older).tables]
    read = delta_of(newest).index(tables, snapshot.generation)
    assert {entry.entry_id for entry in read.entries()} == {"c", "e", "f"}
    assert read.match(READS) == newest.match(READS) == newest.compacted().match(READS)
    for others in (tables[:1], [*tables, tables[1]], [Index.build([], generation(3)).snapshot, tables[1]]):
        with pytest.raises(DamagedError, match="other layers"):
            delta_of(newest).index(others, snapshot.generation)


def test_an_index_with_a_delta_is_compacted_before_it_is_written_as_a_snapshot() -> None:
    changed = Index.build([], generation(1)).with_changes([an_entry()], [], generation(2))
    with pytest.raises(ValueError, match="compacted"):
        written(changed)
    assert opened(written(changed.compacted())).index.size == 1


def test_a_snapshot_is_not_taken_for_a_delta_nor_a_delta_for_a_snapshot() -> None:
    snapshot = Index.build(LISTS["several"], generation(3))
    changed = snapshot.with_changes([an_entry("d")], [], generation(4))
    with pytest.raises(DamagedError, match="not a snapshot"):
        opened(b"".join(encode_delta(changed, NOON)))
    with pytest.raises(DamagedError, match="not a delta"):
        decode_delta(memoryview(written(snapshot)))


def ids(index: Index) -> list[list[str]]:
    return [[match.entry.entry_id for match in of_read] for of_read in index.match(READS)]


@pytest.mark.parametrize("entries", LISTS.values(), ids=LISTS)
@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"",
        lambda content: content[:10],
        lambda content: content[:40],
        lambda content: content[: len(content) - 100],
        lambda content: b"other" + content,
        lambda content: content.replace(b"anpr-index-0", b"anpr-index-9"),
    ],
    ids=["empty", "magic cut", "header cut", "end cut", "other file", "other version"],
)
def test_a_file_that_is_not_a_whole_index_of_this_version_is_refused(
    entries: list[Entry], damage: Callable[[bytes], bytes]
) -> None:
    with pytest.raises(DamagedError):
        opened(damage(written(Index.build(entries, generation(1)))))


def test_a_changed_bit_anywhere_but_in_the_padding_is_found() -> None:
    content = written(Index.build(LISTS["patterns"], generation(1)))
    unseen = 0
    for position in range(len(content)):
        try:
            opened(content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :])
        except DamagedError:
            continue
        assert content[position] == 0, "only padding may change unseen"
        unseen += 1
    assert unseen < 64 * 15, "padding fills what is left of a section's last 64 bytes"
