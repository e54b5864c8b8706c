"""No plate and no text of an entry is in the log of any service, whatever goes wrong."""

import json
from pathlib import Path

from confluent_kafka.admin import AdminClient

from anpr.contracts import topics
from anpr.local.processes import wait_until
from anpr.runtime.clock import system_clock
from tests.support.entries import entry, read_line
from tests.support.installation import Installation

PLATE = "ZQ97XJV"
SECRETS = {"plate": "zq97", "reason": "quietly wanted", "instruction": "call nobody", "owner": "Unit Nine"}


def logged(it: Installation) -> dict[Path, str]:
    return {log: log.read_text("utf-8") for log in it.folder.glob("*.log")}


def test_services_log_no_listed_plate_whatever_goes_wrong(installation: Installation) -> None:
    it, site = installation, installation.sites[0]
    about = {name: SECRETS[name] for name in ("reason", "instruction", "owner")}
    entries = [entry("1", PLATE, **about), entry("2", "XX1", handling="covert", **about)]
    it.store.apply("stolen", entries, "test", system_clock())
    it.start_matcher(site, "one")
    lines = [
        read_line("a", site, PLATE),
        read_line("b", site, "zq97 xjv", confidence=PLATE),
        read_line("c", PLATE, PLATE),
        f'{{"read_id": "d", "plate": "{PLATE}"'.encode(),
        f'{{"read_id": {PLATE}}}'.encode(),
        f'{{"read_id": "e", "site": "{site}", "plate": "{PLATE * 20}"}}'.encode(),
        PLATE.encode() * 20_000,
    ]
    sent = it.run("send", "--site", site, input=b"\n".join(lines))
    assert sent.returncode == 1
    it.wait_until_matched(6, site)
    # The next batch cannot be published: its alerts have no topic to go to.
    admin = AdminClient({"bootstrap.servers": it.kafka})
    for deleted in admin.delete_topics([topics.alerts(site)]).values():
        deleted.result(60)
    assert it.run("send", "--site", site, input=read_line("f", site, PLATE)).returncode == 0
    assert wait_until(lambda: "kafka-topic-missing" in (it.folder / "one.log").read_text("utf-8"), 90)
    assert it.run("topics", "--create").returncode == 0
    it.wait_until_matched(7, site)
    it.supervisor.remove("one")

    assert [alert.read.read_id for alert in it.alerts([site])] == ["f"]
    everything = {**logged(it), Path("send"): sent.stderr.decode()}
    for log, text in everything.items():
        assert [secret for secret in SECRETS.values() if secret.lower() in text.lower()] == [], log
    for line in everything[it.folder / "one.log"].splitlines():
        assert {"at", "level", "event"} <= json.loads(line).keys()
        assert (json.loads(line)["service"], json.loads(line)["site"], json.loads(line)["name"]) == (
            "match",
            site,
            "one",
        )
