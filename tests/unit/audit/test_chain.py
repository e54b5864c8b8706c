"""An audit chain is on the disk before anybody is answered, goes on after a crash, and has one writer."""

import errno
import os
from datetime import date
from pathlib import Path

import pytest

from anpr.audit.chain import AuditChain
from anpr.audit.checkpoint import read_checkpoint
from anpr.audit.head import Head
from anpr.audit.record import unseal
from anpr.audit.segments import lines_backwards, segment_of, segments
from anpr.runtime.errors import InputError, UnavailableError
from tests.support.audit import NOON, SetClock, lines_in, look_up, verdict_on


def opened(folder: Path, clock: SetClock | None = None) -> AuditChain:
    return AuditChain(folder, "calais", "console-1", clock or SetClock())


def test_what_is_appended_is_on_the_disk_in_order_and_chained(tmp_path: Path) -> None:
    chain = opened(tmp_path / "chain")
    chain.append(look_up("AB12CDE"), look_up("CD34EFG"))
    chain.append(look_up("EF56GHI"))
    written = lines_in(tmp_path / "chain")
    assert [unseal(line).record.event.plate for line in written] == ["AB12CDE", "CD34EFG", "EF56GHI"]
    assert {unseal(line).record.at for line in written} == {NOON}
    verdict = verdict_on(written, heads=[chain.head])
    assert (verdict.fault, verdict.last, verdict.confirmed) == (None, 3, 3)


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    chain = opened(tmp_path / "chain")
    chain.append(look_up())
    assert (tmp_path / "chain").stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in (tmp_path / "chain").iterdir()} == {0o600}


def test_a_chain_goes_on_where_it_was_closed_also_on_another_day(tmp_path: Path) -> None:
    clock = SetClock()
    for _ in range(3):
        chain = opened(tmp_path, clock)
        chain.append(look_up())
        chain.append(look_up())
        chain.close()
        clock.forward(days=1)
    assert [segment.name for segment in segments(tmp_path)] == ["20261129.jsonl", "20261130.jsonl", "20261201.jsonl"]
    assert verdict_on(lines_in(tmp_path)).last == 6


def test_a_clock_that_is_set_back_does_not_break_the_order(tmp_path: Path) -> None:
    clock = SetClock()
    chain = opened(tmp_path, clock)
    chain.append(look_up())
    clock.forward(days=-2)
    chain.append(look_up())
    assert [segment.name for segment in segments(tmp_path)] == ["20261129.jsonl"]
    assert verdict_on(lines_in(tmp_path)).fault is None


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    first = opened(tmp_path)
    with pytest.raises(UnavailableError) as refused:
        opened(tmp_path)
    assert refused.value.code == "audit-chain-in-use"
    first.close()
    opened(tmp_path).close()


@pytest.mark.parametrize("left", ["1 byte", "all but the line feed", "a hole"])
def test_an_unfinished_record_is_cut_off_and_that_is_recorded(tmp_path: Path, left: str) -> None:
    chain = opened(tmp_path)
    chain.append(look_up(), look_up())
    chain.close()
    segment = segments(tmp_path)[-1]
    lost = lines_in(tmp_path)[-1]
    tail = {"1 byte": lost[:1], "all but the line feed": lost[:-1], "a hole": b"\0" * 40 + lost[40:]}[left]
    segment.write_bytes(lines_in(tmp_path)[0] + tail)
    opened(tmp_path).close()
    written = lines_in(tmp_path)
    event = unseal(written[-1]).record.event
    assert (event.what, event.details["bytes"]) == ("unfinished record cut off after a crash", str(len(tail)))
    assert len(written) == 2
    assert verdict_on(written).fault is None


def test_a_new_day_whose_first_record_is_unfinished_goes_on_behind_the_day_before(tmp_path: Path) -> None:
    clock = SetClock()
    chain = opened(tmp_path, clock)
    chain.append(look_up())
    chain.close()
    clock.forward(days=1)
    segment_of(tmp_path, clock.now.date()).write_bytes(b'{"hash"')
    opened(tmp_path, clock).close()
    assert verdict_on(lines_in(tmp_path)).last == 2


def test_a_chain_whose_last_record_was_changed_does_not_go_on(tmp_path: Path) -> None:
    chain = opened(tmp_path)
    chain.append(look_up())
    chain.close()
    segment = segments(tmp_path)[0]
    segment.write_bytes(segment.read_bytes().replace(b"AB12CDE", b"XY99XYZ"))
    with pytest.raises(UnavailableError) as refused:
        opened(tmp_path)
    assert refused.value.code == "audit-chain-broken"


def test_a_text_that_is_not_utf_8_is_refused_and_the_chain_goes_on(tmp_path: Path) -> None:
    chain = opened(tmp_path)
    with pytest.raises(InputError) as refused:
        chain.append(look_up(), look_up("AB12\udcff"))
    assert refused.value.code == "text-not-utf-8"
    assert "rename" not in refused.value.next_step
    chain.append(look_up("EF56GHI"))
    written = lines_in(tmp_path)
    assert [unseal(line).record.event.plate for line in written] == ["EF56GHI"]
    assert verdict_on(written).fault is None


def test_a_text_that_is_too_long_is_refused_and_the_chain_goes_on(tmp_path: Path) -> None:
    chain = opened(tmp_path)
    with pytest.raises(InputError) as refused:
        chain.append(look_up(), look_up("A" * 70_000))
    assert refused.value.code == "text-too-long"
    chain.append(look_up("EF56GHI"))
    assert [unseal(line).record.event.plate for line in lines_in(tmp_path)] == ["EF56GHI"]


def test_a_full_disk_refuses_and_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chain = opened(tmp_path)
    chain.append(look_up())
    write = os.write

    def half(handle: int, data: memoryview) -> int:
        if len(data) < 100:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(handle, data[: len(data) // 2])

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", half)
        with pytest.raises(UnavailableError) as refused:
            chain.append(look_up("CD34EFG"))
    assert refused.value.code == "audit-unavailable"
    assert "CD34EFG" not in str(lines_in(tmp_path))
    chain.append(look_up("EF56GHI"))
    assert verdict_on(lines_in(tmp_path)).last == 2


def test_what_a_failed_fsync_and_a_failed_cut_leave_is_taken_back_by_the_next_append(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = opened(tmp_path)
    chain.append(look_up())

    def refuse(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", refuse)
        patched.setattr(os, "ftruncate", refuse)
        for _ in range(2):
            with pytest.raises(UnavailableError):
                chain.append(look_up("CD34EFG"))
    chain.append(look_up("EF56GHI"))
    plates = [unseal(line).record.event.plate for line in lines_in(tmp_path)]
    assert plates == ["AB12CDE", "EF56GHI"]
    assert verdict_on(lines_in(tmp_path)).fault is None


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UnavailableError) as refused:
        opened(tmp_path / "file" / "chain")
    assert refused.value.code == "audit-unavailable"


def test_retention_deletes_whole_days_and_leaves_a_checkpoint(tmp_path: Path) -> None:
    clock = SetClock()
    chain = opened(tmp_path, clock)
    for _ in range(4):
        chain.append(look_up(), look_up())
        clock.forward(days=1)
    assert chain.erase_until(date(2026, 11, 30)) == 4
    assert [segment.name for segment in segments(tmp_path)] == [
        "20261201.jsonl",
        "20261202.jsonl",
        "20261203.jsonl",
    ]
    checkpoint = read_checkpoint(tmp_path)
    assert checkpoint is not None
    deleted = Head(checkpoint.chain, checkpoint.sequence, checkpoint.hash)
    written = lines_in(tmp_path)
    assert verdict_on(written, deleted).fault is None
    assert unseal(written[-1]).record.event.details == {"records": "4", "sequence": "4", "hash": deleted.hash}
    assert chain.erase_until(date(2026, 12, 31)) == 4
    assert chain.erase_until(date(2026, 12, 31)) == 0


def test_retention_that_was_interrupted_is_finished_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SetClock()
    chain = opened(tmp_path, clock)
    for _ in range(3):
        chain.append(look_up())
        clock.forward(days=1)
    with monkeypatch.context() as patched:
        patched.setattr(chain, "_finish_erasure", lambda: None)
        chain.erase_until(date(2026, 11, 30))
    chain.close()
    checkpoint = read_checkpoint(tmp_path)
    assert checkpoint is not None
    assert verdict_on(lines_in(tmp_path), Head(checkpoint.chain, 2, checkpoint.hash)).fault is None
    opened(tmp_path, clock).close()
    assert [segment.name for segment in segments(tmp_path)] == ["20261201.jsonl", "20261202.jsonl"]


def test_a_chain_without_its_segments_does_not_begin_again_in_silence(tmp_path: Path) -> None:
    clock = SetClock()
    chain = opened(tmp_path, clock)
    for _ in range(2):
        chain.append(look_up())
        clock.forward(days=1)
    chain.erase_until(date(2026, 11, 29))
    chain.close()
    for segment in segments(tmp_path):
        segment.unlink()
    with pytest.raises(UnavailableError) as refused:
        opened(tmp_path)
    assert refused.value.code == "audit-chain-broken"


def test_lines_come_backwards_whatever_their_length(tmp_path: Path) -> None:
    written = [b"x" * length + b"\n" for length in (1, 70_000, 0, 65_535, 3, 200_000, 12)]
    file = tmp_path / "20261129.jsonl"
    file.write_bytes(b"".join(written) + b"unfinished")
    assert list(lines_backwards(file)) == [b"unfinished", *reversed(written)]
