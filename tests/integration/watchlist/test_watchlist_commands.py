"""`anpr watchlist` as an operator runs it: plan, check, apply, undo."""

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from anpr.contracts.events import Entry
from tests.support.entries import read_line, write_list
from tests.support.installation import Installation

MANY = [f"AB{number:02}CDE" for number in range(40)]


@pytest.fixture
def it(tmp_path: Path, redis_url: str) -> Iterator[Installation]:
    """Return an installation with a Redis and no broker."""
    with Installation(tmp_path, "127.0.0.1:1", redis_url, suffix="") as one:
        yield one


def active_entries(it: Installation) -> dict[str, Entry]:
    manifest = it.store.read_manifest()
    return {entry.plate: entry for entry in (it.store.load(manifest) if manifest else None) or ()}


def result(done: subprocess.CompletedProcess[bytes]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    line: dict[str, Any] = json.loads(done.stdout)
    return line


def refused(done: subprocess.CompletedProcess[bytes], code: str) -> str:
    """Check that a command was refused with this error code, and return its message."""
    message = done.stderr.decode()
    assert f"docs/errors.md#{code}\n" in message
    assert done.returncode in {1, 2}
    assert not done.stdout
    return message


def test_a_plan_replaces_only_a_file(it: Installation, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    file = write_list(tmp_path / "new.csv", "AB1")
    done = it.run("watchlist", "plan", str(file), "--list", "stolen", "--new-list", "--out", str(pipe))
    assert "it is not a file" in refused(done, "plan-unwritable")
    assert pipe.is_fifo()


def test_a_plan_shows_what_would_change_and_changes_nothing(it: Installation, tmp_path: Path) -> None:
    it.plan_and_apply(write_list(tmp_path / "old.csv", "AB1", "AB2", "AB3"))
    file = tmp_path / "new.csv"
    header = "entry_id,plate,valid_until,reason\n"
    lines = ["AB1,AB1,2099-01-01,", "AB2,AB2,2099-01-01,seen", "AB3,AB3,never,", "AB4,AB4,2099-01-01,"]
    lines += ["AB4,AB4,2099-01-01,", "AB5,AB5,2020-01-01,"]
    file.write_text(header + "\n".join(lines) + "\n", "utf-8")
    done = it.plan(file, "stolen")
    assert done.returncode == 1, "a line was refused"
    assert b"line 4: valid_until 'never'" in done.stderr
    shown = json.loads(done.stdout)
    counts = {name: value for name, value in shown.items() if type(value) is int}
    assert counts == {
        "entries_before": 3,
        "entries_after": 3,
        "added": 1,
        "changed": 1,
        "removed": 1,
        "unchanged": 1,
        "expired": 1,
        "duplicates": 1,
        "refused": 1,
        "removed_as_refused": 1,
        "never_rings": 0,
    }
    assert "1 active entry would be removed because the line is refused" in shown["warnings"][-1]
    assert "1 entry can never ring, because valid_until has passed: line 7: AB5" in shown["warnings"]
    plan = json.loads(file.with_suffix(".plan.json").read_bytes())
    assert plan["refusals"][0].items() >= {"line": 4, "field": "valid_until", "value": "never"}.items()
    assert {"what": "changed", "entry_id": "AB2", "plate": "AB2", "fields": ["reason"]} in plan["sample"]
    assert active_entries(it).keys() == {"AB1", "AB2", "AB3"}

    applied = result(it.apply(file, "--why", "the weekly file"))
    assert (applied["entries"], applied["added"], applied["changed"], applied["removed"]) == (3, 1, 1, 1)
    assert active_entries(it).keys() == {"AB1", "AB2", "AB4"}
    manifest = it.store.read_manifest()
    assert manifest is not None
    assert applied["generation"] == str(manifest.generation)
    [ended] = it.store.tombstones(["AB3"])
    assert ended.why == "the weekly file"


def test_a_plan_of_another_systems_list_is_applied_as_it_was_planned(it: Installation, tmp_path: Path) -> None:
    file, out = tmp_path / "export.csv", tmp_path / "export.plan.json"
    file.write_text("Reg No;State;Colour\nAB12 CDE;GB;blue\nM-AB 123;D;red\n", "utf-8")
    options = ("--columns", "plate=Reg No,country=State", "--valid-for", "30d")
    done = it.run("watchlist", "plan", str(file), "--list", "stolen", "--new-list", "--out", str(out), *options)
    warnings = result(done)["warnings"]
    assert "columns that are not used: 'Colour'" in warnings
    applied = result(it.run("watchlist", "apply", str(out)))
    assert applied["added"] == 2
    entries = active_entries(it)
    assert {plate: entry.country for plate, entry in entries.items()} == {"AB12 CDE": "GB", "M-AB 123": "DE"}
    end = json.loads(out.read_bytes())["valid_until"]
    assert all(f"until: they end on {end}" in warning for warning in warnings if "they end on" in warning)
    again = it.run("watchlist", "plan", str(file), "--list", "stolen", "--out", str(out), *options)
    assert result(again)["unchanged"] == 2


def test_a_plan_holds_plates_so_nobody_else_may_read_it(it: Installation, tmp_path: Path) -> None:
    file = write_list(tmp_path / "l.csv", "AB1")
    it.plan(file, "stolen")
    assert file.with_suffix(".plan.json").stat().st_mode & 0o077 == 0


def test_a_plan_is_refused_when_its_file_or_its_list_has_changed_since(it: Installation, tmp_path: Path) -> None:
    file = write_list(tmp_path / "l.csv", "AB1")
    it.plan_and_apply(file)
    refused(it.apply(file), "watchlist-changed-since-plan")
    assert it.plan(file, "stolen").returncode == 0
    write_list(file, "AB2")
    refused(it.apply(file), "plan-other-file")
    assert it.plan(file, "stolen").returncode == 0
    assert it.run("watchlist", "add", "AB9 XYZ", *OF_TODAY, "--new-list").returncode == 0
    assert it.apply(file).returncode == 0, "another list's change does not matter"
    assert active_entries(it).keys() == {"AB2", "AB9 XYZ"}


OF_TODAY = ("--list", "today", "--reason", "left the scene", "--until", "2099-01-01")


def test_half_a_file_does_not_remove_half_the_list(it: Installation, tmp_path: Path) -> None:
    it.plan_and_apply(write_list(tmp_path / "whole.csv", *MANY))
    file = write_list(tmp_path / "half.csv", *MANY[:20])
    plan = result(it.plan(file, "stolen"))
    assert plan["confirm_removals"] == 20
    assert "--confirm-removals 20" in refused(it.apply(file), "watchlist-removals")
    refused(it.apply(file, "--confirm-removals", "19"), "watchlist-removals")
    assert len(active_entries(it)) == 40
    assert result(it.apply(file, "--confirm-removals", "20"))["removed"] == 20


def test_a_list_is_not_emptied_by_accident(it: Installation, tmp_path: Path) -> None:
    it.plan_and_apply(write_list(tmp_path / "one.csv", "AB1"))
    file = write_list(tmp_path / "none.csv")
    assert result(it.plan(file, "stolen"))["confirm_removals"] == 1
    refused(it.apply(file), "watchlist-removals")
    assert len(active_entries(it)) == 1
    assert result(it.apply(file, "--confirm-removals", "1"))["entries"] == 0


def test_an_unknown_list_name_is_refused_with_the_nearest_name(it: Installation, tmp_path: Path) -> None:
    file = write_list(tmp_path / "l.csv", "AB1")
    it.plan_and_apply(file)
    plan = ("watchlist", "plan", str(file), "--list", "stollen", "--out", str(tmp_path / "p"))
    assert "'stolen'" in refused(it.run(*plan), "watchlist-no-such-list")
    refused(it.run("watchlist", "add", "AB2 CDE", *OF_TODAY), "watchlist-no-such-list")
    refused(it.run("watchlist", "export", "--list", "stollen"), "watchlist-no-such-list")


def test_a_redis_that_came_back_empty_is_not_taken_for_a_new_one(
    it: Installation, tmp_path: Path, redis_url: str
) -> None:
    it.plan_and_apply(write_list(tmp_path / "l.csv", "AB1"))
    file = write_list(tmp_path / "wanted.csv", "AB2")
    assert it.plan(file, "wanted").returncode == 0
    client = redis.Redis.from_url(redis_url)
    client.flushall()
    client.close()
    for done in (it.apply(file), it.run("watchlist", "add", "AB2 CDE", *OF_TODAY)):
        assert "it came back empty: restore it first" in refused(done, "watchlist-emptied")
    shown = it.run("watchlist", "show")
    assert (shown.returncode, shown.stdout) == (1, b"")
    assert it.store.read_manifest() is None


def test_one_entry_is_added_changed_and_removed(it: Installation) -> None:
    added = result(it.run("watchlist", "add", "AB12 CDE", *OF_TODAY, "--new-list", "--set", "priority", "1"))
    assert (added["list"], added["added"]) == ("today", 1)
    entry = active_entries(it)["AB12 CDE"]
    assert (entry.priority, entry.reason, entry.valid_until.year) == (1, "left the scene", 2099)
    assert result(it.run("watchlist", "add", "ab12cde", *OF_TODAY, "--replace"))["changed"] == 1
    refused(it.run("watchlist", "add", "AB*", *OF_TODAY), "entry-refused")
    refused(it.run("watchlist", "add", "AB12", *OF_TODAY[:-1], "2020-01-01"), "entry-refused")
    result(it.run("watchlist", "add", "AB12 CD?", *OF_TODAY))
    result(it.run("watchlist", "add", "AB12 CDE", *OF_TODAY, "--set", "country", "FR"))
    removal = ("watchlist", "remove", "AB12 CDE", "--list", "today", "--why", "found in Lille")
    message = refused(it.run(*removal), "entry-not-one")
    ids = {one.country: one.entry_id for one in active_entries(it).values()}
    assert ids["FR"] in message
    assert result(it.run(*removal, "--id", ids["FR"]))["removed"] == 1
    as_added = ("watchlist", "remove", "GB AB12 CDE", *removal[3:])
    assert result(it.run(*as_added))["removed"] == 1, "the plate is taken from its cell, as add takes it"
    refused(it.run(*removal), "entry-not-one")
    [ended] = it.store.tombstones([ids["FR"]])
    assert ended.why == "found in Lille"


def test_a_site_is_checked_in_plan_and_apply_and_add(it: Installation, tmp_path: Path) -> None:
    file = tmp_path / "l.csv"
    lines = ["AB12 CDE,2099-01-01,calais", 'AB12 CDF,2099-01-01,"calais, coquelles"', "AB12 CDG,2099-01-01,Calais"]
    file.write_text("\n".join(["plate,valid_until,sites", *lines]) + "\n", "utf-8")
    planned = it.plan(file, "stolen")
    assert planned.returncode == 1
    assert b"as in calais|coquelles" in planned.stderr
    applied = it.apply(file)
    assert b"line 4: sites 'Calais'" in applied.stderr
    assert result(applied)["entries"] == 1
    message = refused(
        it.run("watchlist", "add", "A1", *OF_TODAY, "--new-list", "--set", "sites", "Calias"), "entry-refused"
    )
    assert "the nearest is 'calais'" in message
    added = it.run("watchlist", "add", "A1", *OF_TODAY, "--new-list", "--set", "sites", "calais")
    assert b"1 plate with fewer than 4 letters and digits" in added.stderr


def test_a_site_that_left_the_configuration_since_the_plan_removes_no_entry(it: Installation, tmp_path: Path) -> None:
    file = tmp_path / "l.csv"
    file.write_text("plate,valid_until,sites\nAB12 CDE,2099-01-01,dunkerque\n", "utf-8")
    assert it.plan(file, "stolen").returncode == 0
    sites = it.config / "sites.toml"
    sites.write_text(sites.read_text("utf-8").replace("[sites.dunkerque]", "[sites.dieppe]"), "utf-8")
    refused(it.apply(file), "plan-other-configuration")


def test_a_change_is_undone_and_the_rollback_too(it: Installation, tmp_path: Path) -> None:
    it.plan_and_apply(write_list(tmp_path / "a.csv", "AB1", "AB2"))
    it.plan_and_apply(write_list(tmp_path / "b.csv", "AB2", "AB3"))
    back = ("watchlist", "rollback", "--list", "stolen", "--why", "the wrong file")
    result(it.run(*back))
    assert active_entries(it).keys() == {"AB1", "AB2"}
    result(it.run(*back))
    assert active_entries(it).keys() == {"AB2", "AB3"}
    shown = result(it.run("watchlist", "show"))
    first = shown["previous"][-1]["generation"]
    result(it.run(*back, "--to", first))
    assert active_entries(it).keys() == {"AB1", "AB2"}
    assert first in refused(it.run(*back, "--to", "1.1"), "watchlist-nothing-to-roll-back-to")


def test_the_log_shows_who_changed_what_when_and_why(it: Installation, tmp_path: Path) -> None:
    file = write_list(tmp_path / "a.csv", "AB1", "AB2")
    it.plan_and_apply(file)
    result(it.run("watchlist", "add", "AB9 XYZ", *OF_TODAY, "--new-list", "--why", "asked for by Dover"))
    newest, oldest = map(json.loads, it.run("watchlist", "log").stdout.splitlines())
    assert (newest["how"], newest["list"], newest["why"], newest["added"]) == (
        "add",
        "today",
        "asked for by Dover",
        1,
    )
    assert newest["who"]
    assert newest["at"] > oldest["at"]
    assert (oldest["how"], oldest["added"], oldest["entries"]) == ("apply", 2, 2)
    plan = json.loads(file.with_suffix(".plan.json").read_bytes())
    assert oldest["file_sha256"] == plan["file_sha256"]
    [only] = map(json.loads, it.run("watchlist", "log", "--list", "stolen").stdout.splitlines())
    assert only == oldest


def test_an_exported_list_plans_as_no_change(it: Installation, tmp_path: Path) -> None:
    file = tmp_path / "l.csv"
    file.write_text('plate,valid_until,reason\nMÜ 1 CDE,2099-01-01,"=1+1, ""x"""\n', "utf-8")
    it.plan_and_apply(file)
    exported = tmp_path / "exported.csv"
    exported.write_bytes(it.run("watchlist", "export", "--list", "stolen").stdout)
    assert b",\"'=1+1, " in exported.read_bytes()
    plan = result(it.plan(exported, "stolen"))
    assert (plan["unchanged"], plan["added"], plan["changed"], plan["removed"]) == (1, 0, 0, 0)


def test_a_plan_shows_the_alerts_that_the_list_would_have_raised(it: Installation, tmp_path: Path) -> None:
    file = write_list(tmp_path / "l.csv", "AB12CDE", "AB13CDE")
    day = {"captured_at": "2026-03-01T05:00:00Z"}
    reads = [
        read_line("a", "calais", "AB12 CDE", country="UK", **day),
        read_line("a", "calais", "AB12 CDE", country="UK", **day),
        read_line("b", "calais", "ABI2 CDE", captured_at="2026-03-03T05:00:00Z"),
        read_line("c", "dunkerque", "XX99 XXX", **day),
        b"not a read",
    ]
    (tmp_path / "reads.jsonl").write_bytes(b"\n".join(reads))
    done = it.plan(file, "stolen", "--reads", str(tmp_path / "reads.jsonl"))
    assert b"1.0 alerts a day" in done.stderr
    assert b"they cover 2 days, 2026-03-01 05:00 to 2026-03-03 05:00 UTC\n" in done.stderr
    assert b"reads.jsonl: line 5: not JSON" in done.stderr
    assert result(done)["cost"] == {
        "reads": 4,
        "reads_refused": 1,
        "first_captured_at": "2026-03-01T05:00:00Z",
        "last_captured_at": "2026-03-03T05:00:00Z",
        "alerts": 2,
        "alerts_a_day": 1.0,
        "by_tier": {"equivalent": 0.5, "exact": 0.5},
        "by_port": {"calais": 1.0},
        "by_hour": {"05": 1.0},
        "by_nationality": {"GB": 0.5, "not read": 0.5},
        "most": [{"entry_id": "AB12CDE", "plate": "AB12CDE", "alerts_a_day": 1.0}],
        "reads_of_site": {"calais": 3, "dunkerque": 1},
    }


@pytest.mark.parametrize("content", ["", "{}", '{"format": 1}', "plate,valid_until\n"])
def test_a_file_that_is_not_a_plan_is_refused(it: Installation, tmp_path: Path, content: str) -> None:
    (tmp_path / "l.plan.json").write_text(content, "utf-8")
    refused(it.apply(tmp_path / "l.csv"), "plan-unreadable")


def on_a_terminal(it: Installation, *arguments: str) -> str:
    """Run a command with stdout on a terminal of 80 columns, and return what stands there."""
    main, terminal = os.openpty()
    done = subprocess.run(
        it.command(*arguments),
        stdout=terminal,
        stderr=subprocess.PIPE,
        check=True,
        env={**os.environ, **it.environment, "COLUMNS": "80", "TERM": "dumb"},
    )
    os.close(terminal)
    shown = bytearray()
    with contextlib.suppress(OSError):  # EIO is the end of a terminal
        while piece := os.read(main, 65536):
            shown += piece
    os.close(main)
    assert done.returncode == 0
    lines = shown.decode().splitlines()
    assert max(map(len, lines), default=0) <= 80
    return "\n".join(lines)


def test_on_a_terminal_people_get_tables_and_programs_still_get_json(it: Installation, tmp_path: Path) -> None:
    it.plan_and_apply(write_list(tmp_path / "first.csv", "AB1", "AB2"))
    file, out = write_list(tmp_path / "l.csv", "AB1", "AB3", "AB4"), str(tmp_path / "plan.json")
    planned = on_a_terminal(it, "watchlist", "plan", str(file), "--list", "stolen", "--out", out)
    assert "stolen            2               3      2        0        1          1" in planned
    assert "removed  AB2" in planned
    applied = on_a_terminal(it, "watchlist", "apply", out, "--why", "[b]a long reason[/b] that takes two lines")
    assert "stolen        3      2        0        1" in applied
    log = on_a_terminal(it, "watchlist", "log")
    assert "+2 ~0 -1" in log
    assert "[b]a" in log, "what looks like markup is shown as it is"
    assert "replaced at" in on_a_terminal(it, "watchlist", "show")
    for shown in (planned, applied, log):
        assert "{" not in shown
    asked_for = it.run("watchlist", "show", "--json").stdout
    assert asked_for == it.run("watchlist", "show").stdout, "programs need no option"
    assert json.loads(asked_for)["list"] == "stolen"


def test_a_plan_with_many_changes_shows_some_and_says_how_many_more_there_are(
    it: Installation, tmp_path: Path
) -> None:
    it.plan_and_apply(write_list(tmp_path / "first.csv", "AB1", "AB2"))
    file, out = write_list(tmp_path / "l.csv", *(f"CD{number}" for number in range(12))), str(tmp_path / "plan.json")
    planned = on_a_terminal(it, "watchlist", "plan", str(file), "--list", "stolen", "--out", out)
    assert (planned.count("added    CD"), planned.count("removed  AB")) == (5, 2)
    assert "and 7 more changes" in planned


def test_a_plan_is_refused_where_its_change_would_be(it: Installation, tmp_path: Path) -> None:
    it.plan_and_apply(write_list(tmp_path / "first.csv", "AB1", "AB2"))
    second = write_list(tmp_path / "second.csv", "AB2")
    assert "'AB2' among them, is in the list 'stolen'" in refused(it.plan(second, "other"), "watchlist-shared-ids")
    assert not second.with_suffix(".plan.json").exists()
