"""Histories of several sites as they run: one asks all over TLS, and one that is down is named."""

import asyncio
from datetime import timedelta

import httpx
import pytest

from anpr.audit.folders import site_folder
from anpr.audit.segments import segments
from anpr.contracts import topics
from anpr.contracts.events import encode
from anpr.contracts.topics import of_alert
from anpr.kafka.producer import KafkaProducer
from anpr.local.processes import wait_until
from anpr.look_up.ask_sites import ask_sites
from anpr.look_up.site_reply import SiteReply
from anpr.runtime.clock import system_clock
from tests.support.entries import read_line
from tests.support.history import written
from tests.support.installation import Installation
from tests.support.plain_http import NO_CERTIFICATES
from tests.support.sites import a_look_up
from tests.support.strategies import a_read, an_alert, an_entry


@pytest.fixture
def it(installation: Installation) -> Installation:
    installation.open_look_ups()
    return installation


def start(it: Installation, site: str) -> str:
    """Start the history of a site and return the address of its health."""
    it.start(f"history-{site}", "history", "--site", site, "--metrics-port", "0")
    return it.health_address(f"history-{site}")


def produce(it: Installation, *records: tuple[str, bytes]) -> None:
    producer = KafkaProducer(it.kafka)
    for topic, value in records:
        producer.produce(topic, "key", value)
    assert wait_until(lambda: producer.flush(1) == 0, 60)


def ask(it: Installation, asking: str, *, covert: bool = False) -> list[SiteReply]:
    now = system_clock()
    look_up = a_look_up(asking_site=asking, since=now - timedelta(days=1), until=now + timedelta(days=1))
    return asyncio.run(ask_sites(it.settings, look_up, sites=it.sites, covert=covert))


def found(replies: list[SiteReply]) -> dict[str, list[str]]:
    """Return the ids of the reads that were found, by site."""
    return {reply.site: [one.read.read_id for one in reply.answer.sightings] for reply in replies if reply.answer}


def test_one_site_asks_all_and_a_site_that_is_down_is_named(it: Installation) -> None:
    calais, coquelles, dunkerque = it.sites
    for site in (calais, coquelles):
        start(it, site)
    produce(it, *((topics.reads(site), read_line(f"at-{site}", site, "AB12 CDE")) for site in it.sites))
    expected = {calais: [f"at-{calais}"], coquelles: [f"at-{coquelles}"]}
    assert wait_until(lambda: found(ask(it, dunkerque)) == expected, 60)
    missing = next(reply for reply in ask(it, dunkerque) if reply.answer is None)
    assert missing == SiteReply(dunkerque, None, "refuses the connection; its history service may be stopped")

    done = it.run("vehicle", "AB12CDE", "--reason", "seen leaving the lane", "--site", coquelles, "--format", "json")
    assert f"at-{calais}".encode() in done.stdout, done.stderr.decode()
    assert b"refuses the connection" in done.stdout + done.stderr

    audited = b"".join(
        file.read_bytes()
        for folder in site_folder(it.settings, calais).glob("history-*")
        for file in segments(folder)
    )
    assert b'"operation":"disclosure"' in audited
    assert b"seen leaving the lane" in audited
    for site in (calais, coquelles):
        log = (it.folder / f"history-{site}.log").read_text("utf-8")
        assert "AB12" not in log
        it.supervisor.remove(f"history-{site}")
        assert it.supervisor.exit_codes[f"history-{site}"] == [0]


def test_covert_alerts_are_shown_at_their_own_site_to_those_who_may_see_them_and_nowhere_else(
    it: Installation,
) -> None:
    calais, coquelles, _ = it.sites
    start(it, calais)
    read = a_read(read_id="a", site=calais, plate="AB12 CDE")
    alerts = {handling: an_alert(read, an_entry(handling, handling=handling)) for handling in ("open", "covert")}
    produce(
        it,
        (topics.reads(calais), written(read)),
        *((of_alert(alert), encode(alert)) for alert in alerts.values()),
    )

    def seen(asking: str, *, covert: bool) -> set[str]:
        replies = ask(it, asking, covert=covert)
        return {a.entry.handling for r in replies if r.answer for s in r.answer.sightings for a in s.alerts}

    assert wait_until(lambda: seen(calais, covert=True) == {"open", "covert"}, 60)
    assert seen(calais, covert=False) == {"open"}
    assert seen(coquelles, covert=True) == {"open"}


def test_health_says_that_look_ups_are_not_answered_while_reads_are_kept(it: Installation) -> None:
    site = it.sites[0]
    health = start(it, site)
    assert wait_until(lambda: httpx.get(f"{health}/readyz", verify=NO_CERTIFICATES).status_code == 200, 60)
    it.settings.tokens_file.chmod(0o644)
    answer = httpx.get(f"{health}/readyz", verify=NO_CERTIFICATES)
    assert answer.status_code == 503
    assert "look-ups are not answered: other users of this machine may read" in answer.text


def test_an_address_that_cannot_be_used_ends_the_command_with_an_error(it: Installation) -> None:
    site = it.sites[0]
    start(it, site)
    done = it.run("history", "--site", it.sites[1], "--port", it.settings.sites[site].history.rpartition(":")[2])
    assert done.returncode == 3
    assert b"listening-address" in done.stderr
    it.environment["ANPR_HISTORY__CERTIFICATE"] = ""
    done = it.run("history", "--site", it.sites[1])
    assert done.returncode == 2
    assert b"history-without-certificate" in done.stderr
    it.environment[f"ANPR_SITES__{it.sites[1].upper()}__HISTORY"] = ""
    done = it.run("history", "--site", it.sites[1], "--port", "8471")
    assert done.returncode == 2
    assert b"need the site's `history` address" in done.stderr
