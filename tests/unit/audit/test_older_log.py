"""The audit log of earlier versions is taken over once, and never lost."""

import hashlib
from pathlib import Path

import pytest

from anpr.audit.chain import AuditChain
from anpr.audit.folders import chain_folders
from anpr.audit.older_log import take_over
from anpr.audit.record import unseal
from anpr.runtime.errors import UnavailableError
from tests.support.audit import SetClock, lines_in


def test_it_is_kept_as_it_is_and_the_chain_holds_its_digest(tmp_path: Path) -> None:
    log, folder = tmp_path / "audit-calais.jsonl", tmp_path / "audit" / "calais"
    content = b'{"at":"2026-01-01T00:00:00Z","user":"ann","what":"incident","plate":"AB12CDE"}\n' * 3
    log.write_bytes(content)
    chain = AuditChain(folder / "console-1", "calais", "console-1", SetClock())
    for _ in range(2):
        take_over(log, folder, chain)
    (line,) = lines_in(folder / "console-1")
    details = unseal(line).record.event.details
    assert details["sha256"] == hashlib.sha256(content).hexdigest()
    assert (folder / details["kept_as"]).read_bytes() == content
    assert not log.exists()
    assert [chain.name for chain in chain_folders(folder)] == ["console-1"]


def test_one_that_cannot_be_moved_stays_and_is_reported(tmp_path: Path) -> None:
    log, folder = tmp_path / "audit-calais.jsonl", tmp_path / "audit" / "calais"
    log.write_bytes(b"{}\n")
    chain = AuditChain(folder / "console-1", "calais", "console-1", SetClock())
    (folder / "before-chains").write_text("")
    with pytest.raises(UnavailableError):
        take_over(log, folder, chain)
    assert log.read_bytes() == b"{}\n"
