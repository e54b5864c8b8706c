"""A service that is killed in its appends loses no record that it answered for, and says what it cut off."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from anpr.audit.chain import AuditChain
from anpr.audit.record import unseal
from anpr.audit.segments import segments
from anpr.runtime.clock import system_clock
from tests.support.audit import lines_in, verdict_on

WRITER = Path(__file__).parent / "appends_without_end.py"


def kill_after(folder: Path, answers: int) -> int:
    """Kill a writer when it has answered so many times. Return the number of the last record it answered for."""
    with subprocess.Popen([sys.executable, WRITER, folder], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        lines = [writer.stdout.readline() for _ in range(answers)]
        writer.kill()
        lines += writer.stdout.readlines()
    return int([line for line in lines if line.endswith(b"\n")][-1])


def test_after_each_kill_every_answered_record_is_there_and_the_chain_goes_on(tmp_path: Path) -> None:
    answered = 0
    for answers in (1, 7, 40):
        answered = max(answered, kill_after(tmp_path, answers))
        chain = AuditChain(tmp_path, "calais", "console-1", system_clock)
        chain.close()
        verdict = verdict_on(lines_in(tmp_path))
        assert verdict.fault is None
        assert verdict.last >= answered


@pytest.mark.parametrize("seed", range(5))
def test_cut_anywhere_the_chain_keeps_all_whole_records_and_reports_the_rest(tmp_path: Path, seed: int) -> None:
    kill_after(tmp_path, 3)
    (segment,) = segments(tmp_path)
    content = segment.read_bytes()
    content = content[: content.rfind(b"\n") + 1]
    cut = random.Random(seed).randrange(1, len(content))
    segment.write_bytes(content[:cut])
    whole = content[:cut].count(b"\n")
    AuditChain(tmp_path, "calais", "console-1", system_clock).close()
    written = lines_in(tmp_path)
    assert verdict_on(written).fault is None
    assert len(written) == whole + (not content[:cut].endswith(b"\n"))
    if len(written) > whole:
        assert unseal(written[-1]).record.event.what == "unfinished record cut off after a crash"
