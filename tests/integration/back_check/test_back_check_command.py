"""`anpr back-check` on real servers: vehicles that passed before they were listed, at once and without repeats."""

import json
from typing import Any

import msgspec

from anpr.audit.folders import chain_folders, site_folder
from anpr.audit.record import AuditEvent, unseal
from anpr.contracts import topics
from anpr.contracts.events import Alert, Entry, decode_alert_record
from anpr.kafka.producer import KafkaProducer
from anpr.local.processes import wait_until
from anpr.runtime.clock import system_clock
from anpr.watchlist.store.store import Author
from tests.support.audit import lines_in
from tests.support.entries import entry, read_line
from tests.support.installation import Installation


def publish(it: Installation, site: str, *lines: bytes) -> None:
    producer = KafkaProducer(it.kafka)
    for line in lines:
        producer.produce(topics.reads(site), json.loads(line)["camera"], line)
    assert wait_until(lambda: producer.flush(1) == 0, 60)


def alerts_on(it: Installation, topic: str) -> list[Alert]:
    published = [decode_alert_record(record.value or b"") for record in it.records([topic])]
    return [record for record in published if isinstance(record, Alert)]


def searches_ended(it: Installation) -> int:
    log = it.folder / "back-check.log"
    return log.read_text("utf-8").count("back-check ends") if log.exists() else 0


def wait_for_reads(it: Installation, site: str, read_ids: set[str]) -> list[Alert]:
    """Wait until the open alerts are those of these reads, and return them."""
    assert wait_until(lambda: {a.read.read_id for a in alerts_on(it, topics.alerts(site))} == read_ids, 60)
    return alerts_on(it, topics.alerts(site))


def audited(it: Installation, site: str) -> list[AuditEvent]:
    """Return what people did with commands."""
    chains = chain_folders(site_folder(it.settings, site))
    return [unseal(line).record.event for chain in chains for line in lines_in(chain)]


def dry_run(it: Installation, lines: list[bytes], listed: list[Entry]) -> list[Alert]:
    file = it.folder / "list.csv"
    rows = [f"{of_list.entry_id},{of_list.plate},2099-01-01" for of_list in listed]
    file.write_text("\n".join(["entry_id,plate,valid_until", *rows]) + "\n", "utf-8")
    arguments = ("--watchlist", str(file), "--list", "stolen", "--reads", "-", "--back-check")
    done = it.run("dry-run", *arguments, input=b"\n".join(lines))
    assert done.returncode == 0, done.stderr.decode()
    return [msgspec.json.decode(line, type=Alert) for line in done.stdout.splitlines()]


def test_a_vehicle_that_passed_before_it_was_listed_has_its_alert(installation: Installation) -> None:
    it, site = installation, installation.sites[0]
    it.store.apply("stolen", [entry("old", "KL34 XYZ")], "test", system_clock())
    it.start("history", "history", "--site", site)
    it.start_matcher(site, "matcher")
    it.start("back-check", "back-check", "--site", site)
    assert wait_until(lambda: searches_ended(it) == 1, 60), "what is listed at the start is looked for too"
    plates = ["AB12 CDE", "AB12 CDE", "A812 CDE", "KL34 XYZ", "XV56 ABC", "MN78 OPQ"]
    lines = [read_line(str(number), site, plate) for number, plate in enumerate(plates)]
    publish(it, site, *lines)
    it.wait_until_matched(len(lines), site)

    new = [entry("new", "AB12 CDE"), entry("covert", "XV56 ABC", handling="covert"), entry("some", "MN7*")]
    it.store.change("stolen", new, [], why="test", now=system_clock(), author=Author())
    assert wait_until(lambda: searches_ended(it) == 2 and len(alerts_on(it, topics.covert_alerts(site))) == 1, 60)
    found = wait_for_reads(it, site, {"0", "1", "2", "3", "5"})
    assert {(alert.read.read_id, alert.kind) for alert in found} == {
        ("0", "retrospective"),
        ("1", "retrospective"),
        ("2", "retrospective"),
        ("3", "live"),
        ("5", "retrospective"),
    }
    [covert] = alerts_on(it, topics.covert_alerts(site))
    assert (covert.read.read_id, covert.kind, covert.entry.entry_id) == ("4", "retrospective", "covert")

    ids = {alert.alert_id for alert in [*found, covert]}
    assert ids == {alert.alert_id for alert in dry_run(it, lines, [entry("old", "KL34 XYZ"), *new])}

    # A vehicle that passes now is told once, and neither a restart nor a change of the text tells anything again.
    publish(it, site, read_line("later", site, "AB12 CDE"))
    it.wait_until_matched(len(lines) + 1, site)
    ended = searches_ended(it)
    it.supervisor.kill("back-check")
    changed = [entry("new", "AB12 CDE", reason="stolen yesterday")]
    it.store.change("stolen", changed, [], why="test", now=system_clock(), author=Author())
    assert wait_until(lambda: searches_ended(it) > ended, 60)
    again = wait_for_reads(it, site, {"0", "1", "2", "3", "5", "later"})
    assert len(again) == len(found) + 1


def test_a_plan_says_beforehand_what_a_back_check_then_raises_and_where_it_is_not_known(
    installation: Installation,
) -> None:
    it = installation
    here, *others = it.sites
    it.store.apply("stolen", [entry("old", "KL34 XYZ")], "test", system_clock())
    it.start("history", "history", "--site", here)
    it.start_matcher(here, "matcher")
    lines = [read_line(str(number), here, plate) for number, plate in enumerate(["AB12 CDE", "AB12 CDE", "KL34 XYZ"])]
    publish(it, here, *lines)
    it.wait_until_matched(len(lines), here)
    file = it.folder / "new.csv"
    file.write_text(
        "entry_id,plate,valid_until\nold,KL34 XYZ,2099-01-01\nnew,AB12 CDE,2099-01-01\n", encoding="utf-8"
    )

    def planned() -> dict[str, Any]:
        done = it.plan(file, "stolen")
        assert done.returncode == 0, done.stderr.decode()
        of_plan: dict[str, Any] = json.loads(done.stdout)["retrospective"]
        return of_plan

    assert wait_until(lambda: planned()["alerts"] == {here: 2}, 60), "as soon as history has stored the reads"
    assert set(planned()["not_counted"]) == {*others}
    assert {(done.operation, done.reason) for done in audited(it, here)} >= {
        ("consultation", "plan of the list stolen")
    }

    it.start("back-check", "back-check", "--site", here)
    assert it.apply(file).returncode == 0
    found = wait_for_reads(it, here, {"0", "1", "2"})
    assert sum(alert.kind == "retrospective" for alert in found) == 2
    assert planned()["alerts"] == {}, "nothing is new any more"
