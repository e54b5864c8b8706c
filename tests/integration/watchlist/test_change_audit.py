"""Who changes a list is in the audit chain of the commands before the list changes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from anpr.audit.folders import chain_folders, site_folder
from anpr.audit.record import AuditEvent, unseal
from anpr.cli import _anpr
from anpr.cli.operator import operator_name
from anpr.runtime.errors import UnavailableError
from tests.support.audit import lines_in, verdict_on
from tests.support.installation import Installation

ADD = (
    "add",
    "AB12 CDE",
    "--list",
    "today",
    "--reason",
    "left the scene",
    "--until",
    "2099-12-31",
    "--why",
    "call 12",
)


@pytest.fixture
def it(tmp_path: Path, redis_url: str) -> Iterator[Installation]:
    """Return an installation with a Redis and no broker."""
    with Installation(tmp_path, "127.0.0.1:1", redis_url, suffix="") as one:
        yield one


def run(it: Installation, *arguments: str) -> Result:
    return CliRunner().invoke(_anpr, ["--config", str(it.config), "watchlist", *arguments], env=it.environment)


def events(it: Installation) -> list[AuditEvent]:
    (chain,) = chain_folders(site_folder(it.settings, it.sites[0]))
    assert verdict_on(lines_in(chain)).fault is None
    return [unseal(line).record.event for line in lines_in(chain)]


def listed(it: Installation) -> set[str]:
    manifest = it.store.read_manifest()
    return {entry.plate for entry in (it.store.load(manifest) if manifest else None) or ()}


def test_each_change_is_recorded_with_who_why_and_which_list(it: Installation) -> None:
    run(it, *ADD, "--new-list")
    run(it, *ADD, "--set", "handling", "covert", "--set", "entry_id", "quiet")
    run(it, "remove", "AB12 CDE", "--list", "today", "--id", "quiet", "--why", "found")
    run(it, "rollback", "--list", "today", "--why", "by mistake")
    what = [(event.details["command"], event.plate, event.covert, event.reason) for event in events(it)]
    assert what == [
        ("add", "AB12 CDE", False, "call 12"),
        ("add", "AB12 CDE", True, "call 12"),
        ("remove", "AB12 CDE", True, "found"),
        ("rollback", "", False, "by mistake"),
    ]
    assert {(event.operation, event.user, event.details["list"]) for event in events(it)} == {
        ("alteration", operator_name(), "today")
    }


def test_a_plan_that_is_applied_is_recorded_with_the_digest_of_its_file(it: Installation) -> None:
    file = it.folder / "stolen.csv"
    file.write_text("plate,reason,valid_until\nAB12CDE,stolen,2099-12-31\n")
    it.plan(file, "stolen")
    assert it.apply(file).returncode == 0
    (event,) = events(it)
    assert event.details["command"] == "apply"
    assert len(event.details["file_sha256"]) == 64


def test_a_change_that_fails_is_recorded_as_that(it: Installation) -> None:
    assert run(it, *ADD).exit_code != 0, "there is no such list"
    assert [event.what for event in events(it)] == ["list change", "list change failed"]


def test_a_list_does_not_change_when_that_cannot_be_recorded(
    it: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("anpr.audit.durable_file.os.write", full)
        refused = run(it, *ADD, "--new-list")
    assert isinstance(refused.exception, UnavailableError)
    assert not listed(it)
    assert run(it, *ADD, "--new-list").exit_code == 0
    assert listed(it) == {"AB12 CDE"}
