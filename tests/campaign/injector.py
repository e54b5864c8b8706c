"""Carries out the faults of a campaign on real servers and processes, and ends those that last."""

import heapq
import json
import os
import random
import resource
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import redis
from confluent_kafka import KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its own examples import these from here
    AdminClient,
    NewPartitions,
)

from anpr.contracts import topics
from anpr.contracts.events import Read, ReadIdentity
from anpr.kafka.producer import KafkaProducer
from anpr.local.processes import wait_until
from anpr.local.server import Server, StartError
from tests.campaign import schedule
from tests.campaign.garbage import garbage
from tests.campaign.schedule import Fault
from tests.campaign.traffic import a_pass
from tests.support.installation import Installation
from tests.support.servers import OwnServers

TOPICS = {
    "reads": topics.reads,
    "alerts": topics.alerts,
    "alerts-covert": topics.covert_alerts,
    "actions": topics.actions,
    "status": topics.status,
    "deadletters": topics.deadletters,
}
# The whole file must fit into so few bytes: none does.
_NO_ROOM = 16
_GATEWAY_CAMERA = "gateway"
# On a machine that is busy with other things, a service or a server may take minutes to come back.
_PATIENT_SECONDS = 600


class Injector:
    """The faults. Call `inject` for each, `end_due` often, and `end` in the end.

    Attributes:
        done: How many faults of each kind were carried out.
        garbage: The records that were put on the reads and dead-letter topics and cannot be matched.
        sent: The reads that gateways were given.
        problems: What could not be carried out, in words.
    """

    def __init__(self, it: Installation, servers: OwnServers, seed: int) -> None:
        self.done: Counter[str] = Counter()
        self.garbage: set[bytes] = set()
        self.sent: set[ReadIdentity] = set()
        self.problems: list[str] = []
        self._it = it
        self._servers = servers
        self._seed = seed
        self._ends: list[tuple[float, int, Callable[[], None]]] = []
        self._producer = KafkaProducer(it.kafka)
        self._admin = AdminClient({"bootstrap.servers": it.kafka, "log_level": 2})
        self._gateways: dict[str, list[str]] = {}
        self._broker_start: threading.Thread | None = None

    def start_services(self, sites: tuple[str, ...]) -> None:
        """Start the services, each with a clock of its own that can be set."""
        commands: dict[str, tuple[str, ...]] = {schedule.INDEX: ("index", "--site", sites[0])}
        for site in sites:
            commands[f"{site}-matcher"] = ("match", "--site", site, "--name", f"{site}-matcher")
            for writer in schedule.WRITERS:
                commands[f"{site}-{writer}"] = (writer, "--site", site)
        for name, arguments in commands.items():
            self._start(name, *arguments)

    def _start(self, name: str, *arguments: str) -> None:
        command = [sys.executable, "-m", "tests.campaign.jumping_clock", str(self._clock_of(name))]
        command += self._it.command(*arguments)[3:]
        self._it.supervisor.add(name, command, log=self._it.folder / f"{name}.log", env=self._it.environment)

    def inject(self, fault: Fault) -> None:
        """Carry out a fault."""
        actions: dict[str, Callable[[Fault], None]] = {
            schedule.KILL: self._kill,
            schedule.STOP: self._stop,
            schedule.FLUSH: self._flush,
            schedule.KILL_REDIS: self._kill_redis,
            schedule.KILL_BROKER: self._kill_broker,
            schedule.PARTITION: self._add_partition,
            schedule.REBALANCE: self._rebalance,
            schedule.DISK_FULL: self._fill_disk,
            schedule.GARBAGE: self._put_garbage,
            schedule.CLOCK: self._set_clock,
            schedule.KILL_GATEWAY: self._kill_gateway,
        }
        actions[fault.what](fault)
        self.done[fault.what] += 1

    def end_due(self) -> float:
        """End the faults whose time is over. Return the moment of the next end, by the monotonic clock."""
        while self._ends and self._ends[0][0] <= time.monotonic():
            heapq.heappop(self._ends)[2]()
        return self._ends[0][0] if self._ends else float("inf")

    def end(self) -> None:
        """End all faults, and wait for the gateways."""
        while self._ends:
            heapq.heappop(self._ends)[2]()
        if self._broker_start is not None:
            self._broker_start.join()
        codes = self._it.supervisor.exit_codes
        for name in self._gateways:
            if not wait_until(lambda name=name: bool(codes[f"{name} again"]), _PATIENT_SECONDS):  # type: ignore[misc]
                self.problems.append(f"{name} has not ended")
            elif codes[f"{name} again"] != [0]:
                self.problems.append(f"{name} ended with {codes[f'{name} again']}")
        if not wait_until(lambda: self._producer.flush(1) == 0, _PATIENT_SECONDS):
            self.problems.append("garbage never reached the broker")

    def _end_later(self, fault: Fault, end: Callable[[], None]) -> None:
        heapq.heappush(self._ends, (time.monotonic() + fault.lasts_seconds, fault.number, end))

    def _running(self, name: str) -> int:
        """Return the process id of a service, once it runs. One that ended is started again within seconds."""
        found: list[int] = []

        def is_running() -> bool:
            pid = self._it.supervisor.pid(name)
            found.extend([pid] if pid is not None else [])
            return bool(found)

        assert wait_until(is_running, _PATIENT_SECONDS), f"{name} does not run"
        return found[0]

    def _kill(self, fault: Fault) -> None:
        self._running(fault.of)
        self._it.supervisor.kill(fault.of)

    def _stop(self, fault: Fault) -> None:
        pid = self._pid_of(fault.of)
        if pid is None:  # it was killed, and is being started
            return
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)

        def go_on() -> None:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

        self._end_later(fault, go_on)

    def _pid_of(self, name: str) -> int | None:
        servers = {schedule.KAFKA: self._servers.kafka, schedule.REDIS: self._servers.redis}
        return servers[name].pid if name in servers else self._running(name)

    def _flush(self, _: Fault) -> None:
        # While Redis is away or stands still, it is asked again until it answers.
        with redis.Redis.from_url(self._servers.redis.url, socket_timeout=1) as client:

            def is_flushed() -> bool:
                self.end_due()
                with suppress(redis.RedisError):
                    return bool(client.flushall())
                return False

            assert wait_until(is_flushed, _PATIENT_SECONDS), "Redis does not answer"

    def _kill_redis(self, fault: Fault) -> None:
        self._servers.redis.kill()
        self._end_later(fault, lambda: _start(self._servers.redis))

    def _kill_broker(self, _: Fault) -> None:
        if self._broker_start is not None:
            self._broker_start.join()
        self._servers.kafka.kill()
        self._broker_start = threading.Thread(target=_start, args=(self._servers.kafka,))
        self._broker_start.start()

    def _add_partition(self, fault: Fault) -> None:
        site, _, kind = fault.of.partition("-")
        name = TOPICS[kind](site)

        def is_added() -> bool:
            self.end_due()
            try:
                count = len(self._admin.list_topics(name, timeout=2).topics[name].partitions)
                self._admin.create_partitions([NewPartitions(name, count + 1)], request_timeout=2)[name].result(5)
            except KafkaException:
                return False
            return count > 0

        assert wait_until(is_added, _PATIENT_SECONDS), "the broker does not answer"

    def _rebalance(self, fault: Fault) -> None:
        draw = random.Random(f"{self._seed} {fault.number}")
        for number in range(fault.amount):
            name = f"{fault.of}-joins-{fault.number}-{number}"
            self._start(name, "match", "--site", fault.of, "--name", name)

            def leave(name: str = name, *, is_killed: bool = draw.random() < 0.5) -> None:
                if is_killed:
                    self._it.supervisor.kill(name)
                self._it.supervisor.remove(name)

            heapq.heappush(
                self._ends, (time.monotonic() + fault.lasts_seconds * (number + 1), fault.number * 10 + number, leave)
            )

    def _fill_disk(self, fault: Fault) -> None:
        pid = self._running(fault.of)
        with suppress(ProcessLookupError):
            soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (_NO_ROOM, hard))

            def make_room() -> None:
                with suppress(ProcessLookupError):
                    resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard if soft == _NO_ROOM else soft, hard))

            self._end_later(fault, make_room)

    def _put_garbage(self, fault: Fault) -> None:
        site, _, kind = fault.of.partition("-")
        draw = random.Random(f"{self._seed} {fault.number}")
        for number in range(fault.amount):
            value = garbage(draw, f"garbage-{fault.number}-{number}")
            self._producer.produce(TOPICS[kind](site), str(number), value)
            if kind in {"reads", "deadletters"}:
                self.garbage.add(value)
        self._producer.flush(0)

    def _clock_of(self, name: str) -> Path:
        return self._it.folder / f"{name}.clock"

    def _set_clock(self, fault: Fault) -> None:
        file = self._clock_of(fault.of)
        file.write_text(str(fault.amount), "utf-8")
        self._end_later(fault, lambda: file.unlink(missing_ok=True))

    def _kill_gateway(self, fault: Fault) -> None:
        """Let a gateway send a file, kill it, and send the same file again: what comes twice is the same read."""
        name, site = f"{fault.of}-send-{fault.number}", fault.of
        lines = self._it.folder / f"{name}.jsonl"
        reads = [a_pass(number, (site,), f"{_GATEWAY_CAMERA}-{fault.number}") for number in range(fault.amount)]
        self.sent.update(read.identity for read in reads)
        lines.write_text("".join(map(_line, reads)), "utf-8")
        command = self._it.command("send", "--site", site, "--spool", str(self._it.folder / name), str(lines))
        log, environment = self._it.folder / f"{name}.log", self._it.environment
        self._it.supervisor.add(name, command, log=log, env=environment, restart=False)
        self._gateways[name] = command

        def send_again() -> None:
            self._it.supervisor.kill(name)
            self._it.supervisor.add(f"{name} again", command, log=log, env=environment, restart=False)

        self._end_later(fault, send_again)


def _start(server: Server) -> None:
    """Start a server, again if it does not answer within a minute."""

    def is_started() -> bool:
        with suppress(StartError):
            server.start()
            return True
        return False

    assert wait_until(is_started, _PATIENT_SECONDS), f"{type(server).__name__} does not start"


def _line(read: Read) -> str:
    """Return a read as a camera writes it."""
    fields = ("read_id", "site", "camera", "plate")
    seen = {name: getattr(read, name) for name in fields} | {"captured_at": read.claimed_at}
    return json.dumps(seen) + "\n"
