"""After the last fault of a campaign: waits for what must still come, and gathers what is there."""

import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from confluent_kafka import KafkaException

from anpr.board.board_feed import BoardFeed
from anpr.contracts import topics
from anpr.contracts.events import (
    Alert,
    Generation,
    Read,
    ReadIdentity,
    Undecodable,
    decode_alert_record,
    decode_status,
)
from anpr.history.sighting_store import SightingStore
from anpr.history.sql_tables import SIGHTING_TABLES
from anpr.history.sqlite_days import SqliteDays
from anpr.kafka.interfaces import Record
from anpr.kafka.tail import KafkaTail
from anpr.local.processes import wait_until
from anpr.reads.decoder import BadRead, decode_read
from tests.campaign.injector import Injector
from tests.campaign.traffic import ALWAYS, Traffic
from tests.campaign.verdict import Evidence, Position, wanted_alerts
from tests.support.installation import Installation
from tests.support.list_oracle import Arrived
from tests.support.oracle import shown

# For so long nothing may come before something counts as lost: searches go on after restarts with growing pauses.
_SETTLE_SECONDS = 300.0
_SAY_SECONDS = 5.0
_NEVER = Generation(epoch=0, number=0)


@dataclass(frozen=True)
class Aftermath:
    """The campaign once all faults are over and the traffic has ended.

    Attributes:
        sites: The sites whose services ran.
        boards: Boards that were open meanwhile, by name.
        say: Is told what is waited for.
        problems: What could not be done, in words; it grows.
    """

    sites: tuple[str, ...]
    it: Installation
    injector: Injector
    traffic: Traffic
    boards: dict[str, BoardFeed]
    say: Callable[[str], None]
    problems: list[str]

    def evidence(self) -> Evidence:
        """Wait until everything has come, for as long as something still comes, and gather it."""
        sites, it = self.sites, self.it
        for site in sites:
            if not wait_until(lambda site=site: self._is_matched(site), _SETTLE_SECONDS):  # type: ignore[misc]
                self.problems.append(f"{it.waiting(site)} reads of {site} are not matched")
        records = it.records(map(topics.reads, sites))
        readable, reads = _decoded(records)
        self._wait_for_alerts(reads)
        self._wait_for_boards(reads)
        evidence = Evidence(
            sent=self.traffic.road.sent | self.injector.sent,
            reads=reads,
            whole=self._whole(reads),
            alerts=self._alerts(),
            contents=self.traffic.lists.contents,
            garbage=self.injector.garbage,
            dead_letters={record.value or b"" for record in it.records(map(topics.deadletters, sites))},
            readable=readable,
            sightings=self._sightings(len(readable)),
            boards={name: shown(feed.board) for name, feed in self.boards.items()},
            problems=self.problems,
        )
        for feed in self.boards.values():
            feed.stop()
        return evidence

    def _is_matched(self, site: str) -> bool:
        with suppress(KafkaException):  # the broker may just have started
            return self.it.waiting(site) == 0
        return False

    def _alerts(self) -> list[Alert]:
        found = []
        for record in self.it.records(map(topics.alerts, self.sites)):
            with suppress(*Undecodable):
                fact = decode_alert_record(record.value or b"")
                if isinstance(fact, Alert):
                    found.append(fact)
        return found

    def _wait_for_alerts(self, reads: Sequence[Read]) -> None:
        """Wait until the alerts are there that must be, or until none has come for long."""
        expected = wanted_alerts(reads, self.traffic.lists.contents).keys()
        tail = KafkaTail(self.it.kafka, list(map(topics.alerts, self.sites)))
        there: set[str] = set()
        last_said = last_new = time.monotonic()
        while not there >= expected and time.monotonic() < last_new + _SETTLE_SECONDS:
            before = len(there)
            for record in tail.poll(0.2):
                with suppress(*Undecodable):
                    fact = decode_alert_record(record.value or b"")
                    if isinstance(fact, Alert):
                        there.add(fact.alert_id)
            if len(there) > before:
                last_new = time.monotonic()
            if time.monotonic() > last_said + 5:
                last_said = time.monotonic()
                self.say(f"{len(expected & there)} of {len(expected)} alerts")
        tail.close()

    def _wait_for_boards(self, reads: Sequence[Read]) -> None:
        expected = wanted_alerts(reads, self.traffic.lists.contents).keys()
        self.boards["a board that was opened afterwards"] = self.it.open_feed()
        for name, feed in self.boards.items():

            def is_complete(feed: BoardFeed = feed) -> bool:
                until = time.monotonic() + 1
                while time.monotonic() < until:
                    feed.fold_new_records(0.1)
                return shown(feed.board).keys() >= expected

            if not wait_until(is_complete, _SETTLE_SECONDS):
                self.say(f"{name} is not complete")

    def _whole(self, reads: Sequence[Read]) -> list[Arrived]:
        """Return the reads of plates that are always listed, each with the newest generation before it arrived.

        By the clock of the broker: those of the matchers were set.
        """
        reported: dict[str, list[tuple[datetime, Generation]]] = {site: [] for site in self.sites}
        for record in self.it.records(map(topics.status, self.sites)):
            with suppress(*Undecodable):
                status = decode_status(record.value or b"")
                if status.generation is not None and record.arrived_at is not None:
                    reported[status.site].append((record.arrived_at, status.generation))
        newest = {site: _running_maximum(sorted(of_site)) for site, of_site in reported.items()}
        return [
            Arrived(read, _last_before(newest[read.site], read.received_at))
            for read in reads
            if read.plate in ALWAYS and read.received_at is not None
        ]

    def _sightings(self, count: int) -> Counter[Position]:
        """Return what the histories hold, once they have stored everything or stop in doing so."""
        held: Counter[Position] = Counter()

        def is_whole() -> bool:
            held.clear()
            for site in self.sites:
                held.update(_stored(self.it, site))
            return held.total() >= count

        if not wait_until(is_whole, _SETTLE_SECONDS):
            self.say("the histories do not hold everything")
        return held


def _decoded(records: Sequence[Record]) -> tuple[set[Position], list[Read]]:
    """Return where the records are that can be matched, and their reads, each once."""
    reads: dict[ReadIdentity, Read] = {}
    readable: set[Position] = set()
    for record in records:
        site = record.topic.split(".")[1]
        with suppress(BadRead):
            read = decode_read(record.value, site, record.arrived_at)
            readable.add((site, record.partition, record.offset))
            reads.setdefault(read.identity, read)
    return readable, list(reads.values())


def _stored(it: Installation, site: str) -> list[Position]:
    folder = it.settings.history_dir / site / "sightings"
    store = SightingStore(SqliteDays(folder, SIGHTING_TABLES, is_writer=False))
    try:
        return [(site, one.source.partition, one.offset) for day in store.days() for one in store.of_day(day)]
    finally:
        store.close()


def _running_maximum(reported: list[tuple[datetime, Generation]]) -> list[tuple[datetime, Generation]]:
    newest, running = _NEVER, []
    for at, generation in reported:
        newest = max(newest, generation)
        running.append((at, newest))
    return running


def _last_before(reported: list[tuple[datetime, Generation]], moment: datetime) -> Generation:
    """Return the newest generation that was reported before a moment."""
    place = bisect_left(reported, (moment, _NEVER))
    return reported[place - 1][1] if place else _NEVER
