import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from anpr.gateway.spool import Spool
from anpr.runtime.errors import UnavailableError

LINES = [("camera-1", b"one"), (None, b"\x00\xff"), ("camera-2", b""), ("camera-1", b"one")]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "send-calais.sqlite"


def content(spool: Spool) -> list[tuple[str | None, bytes]]:
    return [(spooled.key, spooled.line) for spooled in spool.lines_after(0, 1000)]


def reopened(spool: Spool, path: Path) -> Spool:
    spool.close()
    return Spool(path)


def test_lines_come_back_in_their_order_after_reopening(path: Path) -> None:
    spool = Spool(path)
    spool.append(LINES[:2])
    spool.append(LINES[2:])
    spool = reopened(spool, path)
    assert content(spool) == LINES
    assert len(spool) == 4
    spool.close()


def test_lines_are_on_disk_when_append_returns(path: Path, tmp_path: Path) -> None:
    spool = Spool(path)
    spool.append(LINES)
    copy = tmp_path / "as a power cut leaves it.sqlite"
    for ending in ("", "-wal"):
        copy.with_name(copy.name + ending).write_bytes(path.with_name(path.name + ending).read_bytes())
    found = Spool(copy)
    assert content(found) == LINES
    found.close()
    spool.close()


def test_removed_lines_stay_removed(path: Path) -> None:
    spool = Spool(path)
    spool.append(LINES)
    first, _, third, _ = spool.lines_after(0, 10)
    spool.remove([first.number, third.number])
    assert content(spool) == [LINES[1], LINES[3]]
    spool = reopened(spool, path)
    assert content(spool) == [LINES[1], LINES[3]]
    assert len(spool) == 2
    spool.close()


def test_the_oldest_lines_come_first_and_no_more_than_the_limit(path: Path) -> None:
    spool = Spool(path)
    spool.append(LINES)
    first, second = spool.lines_after(0, 2)
    assert (first.line, second.line) == (b"one", b"\x00\xff")
    assert [spooled.line for spooled in spool.lines_after(second.number, 10)] == [b"", b"one"]
    spool.close()


def test_no_number_is_used_twice_even_after_the_spool_was_empty(path: Path) -> None:
    spool = Spool(path)
    spool.append(LINES)
    numbers = [spooled.number for spooled in spool.lines_after(0, 10)]
    spool.remove(numbers)
    spool = reopened(spool, path)
    spool.append([(None, b"new")])
    assert [spooled.line for spooled in spool.lines_after(numbers[-1], 10)] == [b"new"]
    spool.close()


def test_when_appending_fails_no_line_is_added(path: Path) -> None:
    def failing_lines() -> Iterator[tuple[str | None, bytes]]:
        yield LINES[0]
        raise sqlite3.OperationalError("database or disk is full")

    spool = Spool(path)
    with pytest.raises(UnavailableError, match="disk is full"):
        spool.append(failing_lines())
    assert content(spool) == []
    spool.close()


@pytest.mark.parametrize("is_new", [True, False], ids=["a new spool", "one with lines in it"])
def test_a_second_process_is_refused_until_the_first_has_closed_the_spool(path: Path, is_new: bool) -> None:
    spool = Spool(path)
    if not is_new:
        spool.append(LINES)
        spool = reopened(spool, path)
    with pytest.raises(UnavailableError, match="cannot be used") as refused:
        Spool(path)
    assert "another `anpr send`" in refused.value.next_step
    spool = reopened(spool, path)
    assert len(spool) == (0 if is_new else len(LINES))
    spool.close()


def test_a_file_that_is_not_a_spool_is_refused(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"this was never a database; somebody put it here" * 10)
    with pytest.raises(UnavailableError, match="cannot be used"):
        Spool(path)
