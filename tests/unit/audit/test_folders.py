"""Each service of a machine has a chain of its own, without a name that somebody must give it."""

from pathlib import Path

import pytest

from anpr.audit.folders import chain_folders, machine_name, open_chain, site_folder
from anpr.audit.segments import segments
from anpr.runtime.errors import UnavailableError
from anpr.runtime.settings import AuditSettings, Settings, Site
from tests.support.audit import SetClock, look_up


def test_services_that_run_side_by_side_get_different_chains_and_go_on_with_them(tmp_path: Path) -> None:
    settings = Settings({"calais": Site("Calais", "", "")}, audit=AuditSettings(folder=str(tmp_path)))
    first, second = (open_chain(settings, "calais", "console", SetClock()) for _ in range(2))
    history = open_chain(settings, "calais", "history", SetClock())
    for chain in (first, second, history):
        chain.append(look_up())
    names = [folder.name for folder in chain_folders(site_folder(settings, "calais"))]
    assert names == [f"{name}.{machine_name()}" for name in ("console-1", "console-2", "history-1")]
    first.close()
    again = open_chain(settings, "calais", "console", SetClock())
    assert again.head == first.head


def test_a_broken_chain_is_not_passed_over(tmp_path: Path) -> None:
    settings = Settings({"calais": Site("Calais", "", "")}, audit=AuditSettings(folder=str(tmp_path)))
    chain = open_chain(settings, "calais", "console", SetClock())
    chain.append(look_up())
    chain.close()
    segments(chain_folders(tmp_path / "calais")[0])[0].write_bytes(b"{}\n")
    with pytest.raises(UnavailableError) as refused:
        open_chain(settings, "calais", "console", SetClock())
    assert refused.value.code == "audit-chain-broken"
