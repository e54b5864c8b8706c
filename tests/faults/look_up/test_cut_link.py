"""Two sites on two brokers: while the link between them is cut each goes on, and afterwards both know the same."""

import asyncio
import select
import socket
import threading
from contextlib import ExitStack
from datetime import timedelta
from functools import partial

from confluent_kafka.admin import AdminClient
from msgspec.structs import replace

from anpr.contracts import topics
from anpr.kafka.producer import KafkaProducer
from anpr.kafka.topic_admin import create_topics, specs_by_address
from anpr.local.processes import wait_until
from anpr.look_up.ask_sites import ask_sites
from anpr.look_up.site_reply import SiteReply
from anpr.runtime.clock import system_clock
from anpr.runtime.settings import Settings
from anpr.runtime.settings_files import load_settings
from tests.support.entries import read_line
from tests.support.installation import Installation
from tests.support.proxy import Proxy
from tests.support.servers import OwnServers
from tests.support.sites import PATIENT_SECONDS, a_look_up

# How long a look-up waits for a site that cannot be reached.
CUT_OFF_SECONDS = 2


class Link(Proxy):
    """A link to the history of a site. While it is cut, what is sent arrives nowhere, and nobody is told."""

    def __init__(self, server_port: int) -> None:
        super().__init__(server_port)
        self.is_whole = threading.Event()
        self.is_whole.set()

    def serve(self, client: socket.socket, server: socket.socket) -> None:
        other = {client: server, server: client}
        while not self.is_stopped.is_set():
            if not self.is_whole.wait(0.1):
                continue
            for ready in select.select([client, server], [], [], 0.1)[0]:
                content = ready.recv(1 << 16)
                if not content:
                    return
                try:
                    other[ready].sendall(content)
                except OSError:
                    return


def port_of(settings: Settings, site: str) -> int:
    return settings.sites[site].history_endpoint[1]


def seen_from(settings: Settings, there: str, link: Link) -> Settings:
    """Return the settings of a site that reaches another one over a link."""
    far = replace(settings.sites[there], history=f"https://127.0.0.1:{link.port}")
    return replace(settings, sites=settings.sites | {there: far})


def within(settings: Settings, seconds: float) -> Settings:
    return replace(settings, history=replace(settings.history, answer_within_seconds=seconds))


def ask(settings: Settings, asking: str, *sites: str) -> list[SiteReply]:
    now = system_clock()
    look_up = a_look_up(asking_site=asking, since=now - timedelta(days=1), until=now + timedelta(days=1))
    return asyncio.run(ask_sites(settings, look_up, sites=sites))


def found(replies: list[SiteReply]) -> dict[str, set[str]]:
    """Return the ids of the reads that were found, by site."""
    return {reply.site: {one.read.read_id for one in reply.answer.sightings} for reply in replies if reply.answer}


def answers(settings: Settings, site: str, known: dict[str, set[str]]) -> bool:
    """Tell whether a site answers its own people with all of this."""
    return found(ask(settings, site, site)) == known


def see(settings: Settings, site: str, read_id: str) -> None:
    """Let a camera of a site see the vehicle."""
    producer = KafkaProducer(settings.sites[site].kafka)
    producer.produce(topics.reads(site), "camera-1", read_line(read_id, site, "AB12 CDE"))
    assert wait_until(lambda: producer.flush(1) == 0, 60)


def test_a_cut_link_stops_no_site_and_hides_nothing(installation: Installation, own_servers: OwnServers) -> None:
    it = installation
    here, there, _ = it.sites
    it.open_look_ups()
    other_broker = own_servers.kafka.bootstrap
    it.environment[f"ANPR_SITES__{there.upper()}__KAFKA"] = other_broker
    it.settings = load_settings(it.config, it.environment)
    create_topics(AdminClient({"bootstrap.servers": other_broker}), specs_by_address(it.settings)[other_broker])
    for site in (here, there):
        it.start(f"history-{site}", "history", "--site", site)
        see(it.settings, site, f"before-{site}")
        assert wait_until(partial(answers, it.settings, site, {site: {f"before-{site}"}}), 60)

    with ExitStack() as stack:
        links = [stack.enter_context(Link(port_of(it.settings, site))) for site in (there, here)]
        settings = {here: seen_from(it.settings, there, links[0]), there: seen_from(it.settings, here, links[1])}

        def both_know(expected: dict[str, set[str]]) -> bool:
            return all(
                found(ask(within(settings[site], PATIENT_SECONDS), site, here, there)) == expected
                for site in (here, there)
            )

        assert wait_until(lambda: both_know({here: {f"before-{here}"}, there: {f"before-{there}"}}), 60)

        for link in links:
            link.is_whole.clear()
        for site, far in ((here, there), (there, here)):
            see(it.settings, site, f"meanwhile-{site}")
            known = {site: {f"before-{site}", f"meanwhile-{site}"}}
            assert wait_until(partial(answers, settings[site], site, known), 60)
            (missing,) = ask(within(settings[site], CUT_OFF_SECONDS), site, far)
            assert missing == SiteReply(far, None, f"did not answer within {CUT_OFF_SECONDS} s")

        for link in links:
            link.is_whole.set()
        assert wait_until(
            lambda: both_know({site: {f"before-{site}", f"meanwhile-{site}"} for site in (here, there)}), 60
        )
