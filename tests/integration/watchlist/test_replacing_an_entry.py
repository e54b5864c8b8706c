"""`anpr watchlist add` replaces an entry only when the operator has seen both and agrees."""

import json
import os
import pty
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace

from anpr.cli.watchlist import add, remove
from anpr.contracts.events import Entry
from anpr.runtime.errors import AnprError
from anpr.watchlist.entry_identity import id_without_district
from anpr.watchlist.store.applied_change import Author
from tests.support.installation import Installation
from tests.support.strategies import NOON

UNTIL = ("--list", "today", "--until", "2099-12-31")


@pytest.fixture
def it(tmp_path: Path, redis_url: str) -> Iterator[Installation]:
    """Return an installation with a Redis and no broker."""
    with Installation(tmp_path, "127.0.0.1:1", redis_url, suffix="") as one:
        yield one


def run(it: Installation, command: click.Command, *arguments: str) -> Result:
    return CliRunner().invoke(command, arguments, obj=it.config, env=it.environment)


def added(it: Installation, plate: str, reason: str, *options: str) -> Result:
    return run(it, add.command, plate, *UNTIL, "--reason", reason, *options)


def german(it: Installation, plate: str, reason: str, *options: str) -> Result:
    return added(it, plate, reason, "--set", "country", "DE", *options)


def entries(it: Installation) -> list[Entry]:
    manifest = it.store.read_manifest()
    return list((it.store.load(manifest) if manifest else None) or ())


def listed(it: Installation) -> dict[str, str]:
    """Return the reason of each plate on the list."""
    return {entry.plate: entry.reason for entry in entries(it)}


def refusal(result: Result) -> tuple[str, int]:
    assert isinstance(result.exception, AnprError), result.output
    assert result.stdout == ""
    return result.exception.code, result.exception.exit_code


def test_the_second_german_vehicle_with_a_text_never_replaces_the_first(it: Installation) -> None:
    assert json.loads(german(it, "B-MW 555", "one car", "--new-list").stdout)["added"] == 1
    second = german(it, "BM-W 555", "quite another car")
    assert json.loads(second.stdout)["added"] == 1
    assert "already" not in second.stderr
    assert listed(it) == {"B-MW 555": "one car", "BM-W 555": "quite another car"}
    removed = run(it, remove.command, "bm w-555", "--list", "today", "--why", "found")
    assert json.loads(removed.stdout)["removed"] == 1
    assert listed(it) == {"B-MW 555": "one car"}
    assert refusal(run(it, remove.command, "BM-W 555", "--list", "today", "--why", "found")) == ("entry-not-one", 2)
    assert json.loads(run(it, remove.command, "BMW555", "--list", "today", "--why", "found").stdout)["removed"] == 1


def test_without_a_terminal_an_entry_is_replaced_only_with_the_option(it: Installation) -> None:
    assert added(it, "AB12 CDE", "left the scene", "--new-list").exit_code == 0
    refused = added(it, "ab12-cde", "stolen", "--set", "priority", "1")
    assert refusal(refused) == ("entry-exists", 2)
    rows = {line[:17].strip(" *"): line for line in refused.stderr.splitlines()}
    assert rows["plate"].split() == ["*", "plate", "AB12", "CDE", "ab12-cde"]
    assert rows["reason"].split() == ["*", "reason", "left", "the", "scene", "stolen"]
    assert rows["priority"].split() == ["*", "priority", "3", "1"]
    assert rows["valid_until"].startswith("  ")
    assert listed(it) == {"AB12 CDE": "left the scene"}
    replaced = added(it, "ab12-cde", "stolen", "--replace")
    assert json.loads(replaced.stdout)["changed"] == 1
    assert "left the scene" in replaced.stderr
    assert listed(it) == {"ab12-cde": "stolen"}


def test_an_entry_that_would_stay_as_it_is_asks_nothing(it: Installation) -> None:
    assert added(it, "AB12 CDE", "left the scene", "--new-list").exit_code == 0
    again = added(it, "AB12 CDE", "left the scene")
    assert (json.loads(again.stdout)["changed"], "already" in again.stderr) == (0, False)
    respelt = added(it, "ab12-cde", "left the scene")
    assert (json.loads(respelt.stdout)["changed"], "already" in respelt.stderr) == (1, False)
    assert listed(it) == {"ab12-cde": "left the scene"}


def on_a_terminal(it: Installation, answer: bytes, reason: str) -> tuple[int, bytes]:
    """Run the command on a terminal that gives this answer; return its exit code and what it printed for people."""
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "r+b", buffering=0) as terminal:
        os.write(terminal.fileno(), answer)
        arguments = it.command("watchlist", "add", "AB12 CDE", *UNTIL, "--reason", reason)
        environment = {**os.environ, **it.environment}
        done = subprocess.run(arguments, stdin=theirs, capture_output=True, timeout=180, check=False, env=environment)
        os.close(theirs)
    return done.returncode, done.stderr


def test_on_a_terminal_the_operator_sees_both_and_is_asked(it: Installation) -> None:
    assert added(it, "AB12 CDE", "left the scene", "--new-list").exit_code == 0
    code, shown = on_a_terminal(it, b"n\n", "stolen")
    assert code == 1
    assert b"left the scene" in shown
    assert b"Replace the active entry? [y/N]" in shown
    assert b"docs/errors.md#entry-exists" in shown
    assert listed(it) == {"AB12 CDE": "left the scene"}
    code, _ = on_a_terminal(it, b"y\n", "stolen")
    assert code == 0
    assert listed(it) == {"AB12 CDE": "stolen"}


def test_an_entry_from_before_ids_named_districts_is_replaced_by_its_own_plate_alone(it: Installation) -> None:
    assert german(it, "B-MW 555", "one car", "--new-list").exit_code == 0
    [entry] = entries(it)
    old_id = id_without_district(entry)
    assert old_id is not None
    it.store.change(
        "today", [replace(entry, entry_id=old_id)], [entry.entry_id], why="as it was", now=NOON, author=Author()
    )
    assert json.loads(german(it, "BM-W 555", "another car").stdout)["added"] == 1
    assert refusal(german(it, "B-MW 555", "one car")) == ("entry-exists", 2)
    again = german(it, "B-MW 555", "one car, blue", "--replace")
    assert {name: json.loads(again.stdout)[name] for name in ("added", "removed")} == {"added": 1, "removed": 1}
    assert listed(it) == {"B-MW 555": "one car, blue", "BM-W 555": "another car"}


def test_an_entry_that_changes_while_the_operator_looks_at_it_is_not_replaced(
    it: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert added(it, "AB12 CDE", "left the scene", "--new-list").exit_code == 0

    def meanwhile(*_: object) -> str:
        assert added(it, "AB12 CDE", "armed", "--replace").exit_code == 0
        return ""

    with monkeypatch.context() as patched:
        patched.setattr("anpr.cli.watchlist.add._ask", meanwhile)
        changed = added(it, "AB12 CDE", "stolen")
    assert refusal(changed) == ("watchlist-changed-meanwhile", 1)
    assert listed(it) == {"AB12 CDE": "armed"}
