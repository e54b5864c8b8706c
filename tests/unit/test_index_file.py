"""The index on disk gives the answers of the one that was written, or is refused."""

from collections.abc import Callable
from pathlib import Path

import pytest

from anpr.events import Entry
from anpr.matching.index import Index
from anpr.matching.index_file import DamagedError
from anpr.watchlist import mapped_index
from tests.strategies import NOON, a_read, an_entry, generation

LISTS = {
    "empty": [],
    "one": [an_entry("a")],
    "several": [an_entry("a"), an_entry("b", plate="AB12CDF", tolerance="near"), an_entry("c", plate="X" * 16)],
    "patterns": [an_entry("a", plate="AB?2*"), an_entry("b", plate="*12C*"), an_entry("c")],
}
READS = [a_read(), a_read(plate="AB12CDE", country="GB"), a_read(plate="X" * 16), a_read(plate="ZZ")]


@pytest.mark.parametrize("name", LISTS)
def test_an_index_from_disk_answers_as_the_one_that_was_written(tmp_path: Path, name: str) -> None:
    index = Index.build(LISTS[name], generation(3))
    mapped_index.write(tmp_path / "index", index, NOON)
    opened = mapped_index.read(tmp_path / "index")
    assert opened is not None
    assert (opened.applied_at, opened.index.generation, opened.index.size) == (NOON, generation(3), len(LISTS[name]))
    assert opened.index.match(READS) == index.match(READS)
    assert list(opened.index.entries()) == LISTS[name]


def test_an_index_from_disk_takes_changes(tmp_path: Path) -> None:
    mapped_index.write(tmp_path / "index", Index.build(LISTS["several"], generation(3)), NOON)
    opened = mapped_index.read(tmp_path / "index")
    assert opened is not None
    changed = opened.index.with_changes([an_entry("d", plate="ZZ")], ["a"], generation(4))
    assert [[match.entry.entry_id for match in of_read] for of_read in changed.match(READS)] == [
        ["b"],
        ["b"],
        ["c"],
        ["d"],
    ]


def test_whoever_has_mapped_an_index_keeps_it_when_the_next_is_written(tmp_path: Path) -> None:
    mapped_index.write(tmp_path / "index", Index.build(LISTS["several"], generation(3)), NOON)
    opened = mapped_index.read(tmp_path / "index")
    assert opened is not None
    before = opened.index.match(READS)
    mapped_index.write(tmp_path / "index", Index.build([], generation(4)), NOON)
    assert opened.index.match(READS) == before


def test_there_is_none_where_there_is_no_file(tmp_path: Path) -> None:
    assert mapped_index.read(tmp_path / "index") is None


def test_an_index_with_changes_is_merged_before_it_is_written(tmp_path: Path) -> None:
    changed = Index.build([], generation(1)).with_changes([an_entry()], [], generation(2))
    with pytest.raises(ValueError, match="merged"):
        mapped_index.write(tmp_path / "index", changed, NOON)
    merged = Index.build(changed.entries(), generation(2))
    mapped_index.write(tmp_path / "index", merged, NOON)


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
    ids=["empty", "magic cut", "head cut", "end cut", "other file", "other version"],
)
def test_what_is_no_whole_index_of_this_version_is_refused(
    tmp_path: Path, entries: list[Entry], damage: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "index"
    mapped_index.write(path, Index.build(entries, generation(1)), NOON)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DamagedError, match=str(path)):
        mapped_index.read(path)


def test_a_changed_bit_anywhere_but_in_the_padding_is_found(tmp_path: Path) -> None:
    path = tmp_path / "index"
    mapped_index.write(path, Index.build(LISTS["patterns"], generation(1)), NOON)
    content = path.read_bytes()
    unseen = 0
    for place in range(len(content)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        try:
            mapped_index.read(path)
        except DamagedError:
            continue
        assert content[place] == 0, "only padding may change unseen"
        unseen += 1
    assert unseen < 64 * 15, "padding fills what is left of a section's last 64 bytes"
