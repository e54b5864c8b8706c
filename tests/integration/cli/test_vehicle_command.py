"""`anpr vehicle` with all that is behind it: reads over Kafka, two histories, tokens, audits at both ends."""

import json
from pathlib import Path
from typing import Any

from anpr.audit.folders import site_folder
from anpr.contracts import topics
from anpr.contracts.events import encode
from anpr.kafka.producer import KafkaProducer
from anpr.local.processes import wait_until
from anpr.runtime.clock import system_clock
from tests.support.entries import read_line, write_list
from tests.support.installation import Installation
from tests.support.strategies import an_action

QUESTION = ("vehicle", "AB12 CDE", "--reason", "seen leaving the lane", "--format", "json")


def look_up(it: Installation, *more: str) -> tuple[int, dict[str, Any]]:
    done = it.run(*QUESTION, *more)
    assert b"AB12" not in done.stderr, "no log line has the plate"
    assert done.stdout, done.stderr.decode()
    return done.returncode, json.loads(done.stdout)


def looked_up(it: Installation, site: str) -> list[dict[str, Any]]:
    """Return what the audits of a site say of look-ups."""
    files = site_folder(it.settings, site).rglob("*.jsonl")
    events = [json.loads(line)["record"]["event"] for file in files for line in file.read_bytes().splitlines()]
    return [event for event in events if event.get("reason") == "seen leaving the lane"]


def test_a_vehicle_is_found_at_every_port_and_a_port_that_is_down_is_named(
    installation: Installation, tmp_path: Path
) -> None:
    ports = installation
    ports.open_look_ups()
    near, far, _ = ports.sites
    for site in (near, far):
        ports.start(f"history-{site}", "history", "--site", site)
    ports.apply_list(write_list(tmp_path / "list.csv", "AB12CDE"))
    ports.start_matcher(near, "one")
    for site, plates in ((near, ("AB12 CDE", "AB12CDF", "ZZ99ZZZ")), (far, ("AB12CDE",))):
        lines = [read_line(f"{site}-{plate}", site, plate, lane="3") for plate in plates]
        assert ports.run("send", "--site", site, input=b"\n".join(lines)).returncode == 0
    ports.wait_until_matched(3, near)
    alert = next(one for one in ports.alerts([near]) if one.tier == "exact")
    producer = KafkaProducer(ports.kafka)
    outcome = an_action("1", "outcome", alert, site=near, officer="ann", outcome="turned_away", at=system_clock())
    producer.produce(topics.actions(near), None, encode(outcome))
    assert producer.flush(60) == 0

    def is_whole() -> bool:
        _, found = look_up(ports, "--port", near, "--port", far)
        has_outcome = any(one["actions"] for one in found["sightings"])
        return len(found["sightings"]) == 2 and len(found["possible_misreads"]) == 1 and has_outcome

    assert wait_until(is_whole, 180)
    code, found = look_up(ports, "--port", near, "--port", far)
    assert (code, found["missing"]) == (0, [])
    assert sorted(one["site"] for one in found["sightings"]) == sorted([near, far])
    of_near = next(one for one in found["sightings"] if one["site"] == near)
    assert [one["alert_id"] for one in of_near["alerts"]] == [alert.alert_id]
    assert [(one["officer"], one["outcome"]) for one in of_near["actions"]] == [("ann", "turned_away")]
    assert [one["read"]["plate"] for one in found["possible_misreads"]] == ["AB12CDF"]
    assert 0 < found["possible_misreads"][0]["probability"] < 1

    for site in (near, far):
        assert {event["plate"] for event in looked_up(ports, site)} == {"AB12 CDE"}, "in the audit of each port"

    ports.supervisor.remove(f"history-{far}")
    code, found = look_up(ports)
    assert code == 3
    assert [one["site"] for one in found["sightings"]] == [near]
    assert {one["site"] for one in found["missing"]} == set(ports.sites[1:]), "down, and without a history"
