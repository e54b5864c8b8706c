"""How long after it is due a read becomes an alert, beside an echo of the same reads through two topics.

    python -m benchmarks latency [--rate 5 --rate 1000] [--entries 1000000] [--seconds 5] [--rounds 3] [--beside]

Reads are due at an even pace. They are sent whether or not anybody keeps up, and the time counts from when a read was
due: so a matcher that stops for a second delays all reads of that second, as it would on a road. Meanwhile a process
forwards the listed reads to a topic of its own, and one reader follows that topic and the alerts. Each rate runs with
a list that rests, and with one of which 1,000 entries change each second; the rounds are interleaved. Every listed
read must have its alert and its echo. Every tenth read is listed; at less than 100 a second every read. A history and
a console of the site run meanwhile with `--beside`.
"""

import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random
from statistics import median
from typing import Final, NamedTuple

import click
import msgspec
from confluent_kafka.admin import AdminClient

from anpr.contracts import topics
from anpr.kafka.tail import KafkaTail
from anpr.kafka.topic_admin import create_topics
from anpr.kafka.topic_specs import TopicSpec, specs
from anpr.local.free_ports import free_ports
from anpr.local.kafka_server import KafkaServer
from anpr.local.supervisor import Supervisor
from anpr.local.valkey_server import ValkeyServer
from anpr.runtime.settings_files import load_settings
from benchmarks.commits import ChangedElsewhere, entries_of
from benchmarks.latencies import Round, compared
from benchmarks.loops.sender import Order
from benchmarks.missing import few
from benchmarks.options import AMOUNT, COUNT
from benchmarks.stored_reads import CONFIG, SITE, simulated_lines

ECHO: Final = "benchmark.echo"
RATES: Final = (5.0, 1000.0, 3000.0, 10_000.0)
LISTED_PLATES: Final = 100
CHANGED_A_SECOND: Final = 1000
_ALL_LISTED_BELOW: Final = 100
_READY_SECONDS: Final = 600
_LEFT_SECONDS: Final = 120
_READ_ID: Final = re.compile(rb'"read_id":"([^"]*)"')


class Sent(NamedTuple):
    """A round, and how late the sender itself was at the 99th percentile."""

    round: Round
    late_seconds: float


class Sender:
    """The process that sends."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "benchmarks.loops.sender", *arguments]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603  this program

    def begin(self, order: Order) -> float:
        """Give an order. Return the moment when its first read is due."""
        if self._process.stdin is None:
            raise RuntimeError("the sender takes no orders")
        self._process.stdin.write(msgspec.json.encode(order).decode() + "\n")
        self._process.stdin.flush()
        return self._answer()

    def end(self) -> float:
        """Wait until the order is carried out. Return how late the sender was."""
        return self._answer()

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()

    def _answer(self) -> float:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise SystemExit("the sender has failed")
        return float(line)


class Reader:
    """The reader of the alerts and of the echo: when it had which read."""

    def __init__(self, kafka: str) -> None:
        self._tail = KafkaTail(kafka, [topics.alerts(SITE), ECHO])
        self._seen: dict[bool, dict[str, float]] = {False: {}, True: {}}

    def follow(self, due: dict[str, float], until: float) -> Round:
        """Read until all of these reads are there. Return how long after it was due each was."""
        self._seen = {False: {}, True: {}}
        while any(self._missing(due)):
            if time.monotonic() > until:
                alerts, echoes = self._missing(due)
                raise SystemExit(few("reads or their alerts are missing", [*alerts, *echoes]))
            self._read()
        seconds = ([self._seen[is_echo][name] - at for name, at in due.items()] for is_echo in (False, True))
        return Round(*seconds)

    def _read(self) -> None:
        records = self._tail.poll(0.1)
        now = time.monotonic()
        for record in records:
            if found := _READ_ID.search(record.value or b""):
                self._seen[record.topic == ECHO].setdefault(found[1].decode(), now)

    def _missing(self, due: dict[str, float]) -> tuple[list[str], list[str]]:
        alerts, echoes = ([name for name in due if name not in self._seen[is_echo]] for is_echo in (False, True))
        return alerts, echoes


class Services:
    """The processes of a port, each with a log in the folder. They find their servers by the environment."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder, self.environment = folder, environment
        self._supervisor = Supervisor()

    def start(self, name: str, *arguments: str) -> None:
        """Start a process of Python."""
        log = self.folder / f"{name}.log"
        self._supervisor.add(name, [sys.executable, *arguments], log=log, env=self.environment)

    def stop(self) -> None:
        """End all of them."""
        self._supervisor.stop()

    def check(self) -> None:
        """Raise SystemExit if one has ended."""
        if ended := [name for name, codes in self._supervisor.exit_codes.items() if codes]:
            raise SystemExit(f"ended during the measurement: {', '.join(ended)}")


class Port:
    """A port's services with a list, and what measures them."""

    def __init__(self, kafka: str, services: Services, sender: Sender, changed: ChangedElsewhere) -> None:
        self.kafka, self.services, self.changed = kafka, services, changed
        self._sender, self._reader = sender, Reader(kafka)
        self._orders = 0

    def run(self, rate: float, seconds: float, *, wait_seconds: float = _LEFT_SECONDS) -> Sent:
        """Send at a rate and wait for everything."""
        self._orders += 1
        order = Order(str(self._orders), rate, seconds, 1 if rate < _ALL_LISTED_BELOW else 10)
        began = self._sender.begin(order)
        due = {name: began + after for name, after in order.due().items()}
        found = self._reader.follow(due, began + seconds + wait_seconds)
        return Sent(found, self._sender.end())

    def run_while_changing(self, rate: float, seconds: float) -> tuple[Sent, float]:
        """Do the same while the list changes. Return also how many entries changed a second."""
        changing = self.changed.keep_changing(CHANGED_A_SECOND, seconds + 1, spared=LISTED_PLATES)
        time.sleep(1)  # the first change is under way: the interval of the changes, not a wait for something
        sent = self.run(rate, seconds)
        return sent, changing.result()


@contextmanager
def opened(entries: int, *, is_beside: bool) -> Iterator[Port]:
    """Start everything, and return when the matcher matches."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="anpr-latency-")))
        kafka = stack.enter_context(KafkaServer(folder / "kafka")).bootstrap
        valkey = stack.enter_context(ValkeyServer(folder / "valkey"))
        settings = load_settings(CONFIG, {})
        of_echo = TopicSpec(ECHO, settings.topics.alerts_partitions, 1, {"message.timestamp.type": "LogAppendTime"})
        create_topics(AdminClient({"bootstrap.servers": kafka}), [*specs(SITE, settings.topics), of_echo])
        click.echo(f"listing {entries:,} entries", err=True)
        changed = ChangedElsewhere(valkey.url, entries)
        stack.callback(changed.close)
        changed.load()
        history_port, console_port = free_ports(2)
        environment = {
            "KAFKA_BOOTSTRAP": kafka,
            "REDIS_URL": valkey.url,
            "ANPR_WATCHLIST__STATE_DIR": str(folder / "state"),
            "ANPR_HISTORY__TOKENS_FILE": str(folder / "tokens.json"),
            "ANPR_CONSOLE__USERS_FILE": str(folder / "users.json"),
            f"ANPR_SITES__{SITE.upper()}__HISTORY": f"http://127.0.0.1:{history_port}",
        }
        services = Services(folder, environment)
        stack.callback(services.stop)
        services.start("keep", "-m", "anpr", "watchlist", "keep")
        services.start("index", "-m", "anpr", "index", "--site", SITE)
        services.start("match", "-m", "anpr", "match", "--site", SITE)
        services.start("echo", "-m", "benchmarks.loops.echo", kafka, topics.reads(SITE), ECHO)
        if is_beside:
            services.start("history", "-m", "anpr", "history", "--site", SITE)
            services.start("console", "-m", "anpr", "console", "--site", SITE, "--port", str(console_port))
        lines, plates = folder / "lines", folder / "plates"
        lines.write_bytes(b"\n".join(simulated_lines(folder)))
        listed = entries_of(range(min(LISTED_PLATES, entries)), Random(1))  # the first of the list
        plates.write_text("\n".join(entry.plate for entry in listed), "utf-8")
        sender = Sender(kafka, str(lines), str(plates))
        stack.callback(sender.stop)
        port = Port(kafka, services, sender, changed)
        port.run(50, 2, wait_seconds=_READY_SECONDS)  # opens the connections and warms the code
        yield port
        services.check()


def measured(port: Port, rates: Sequence[float], seconds: float, rounds: int) -> list[dict[str, object]]:
    """Run each rate in each round, at rest and changing, and return a row for each."""
    rest: dict[float, list[Sent]] = {rate: [] for rate in rates}
    changing: dict[float, list[tuple[Sent, float]]] = {rate: [] for rate in rates}
    for number in range(rounds):
        for rate in rates:
            rest[rate].append(port.run(rate, seconds))
            changing[rate].append(port.run_while_changing(rate, seconds))
        click.echo(f"round {number + 1} of {rounds} is done", err=True)
    rows = []
    for rate in rates:
        rows.append(row(rate, 0, rest[rate]))
        rows.append(row(rate, median(of for _, of in changing[rate]), [sent for sent, _ in changing[rate]]))
    return rows


def row(rate: float, changed_a_second: float, sent: Sequence[Sent]) -> dict[str, object]:
    """Return what is said of a rate."""
    return {
        "reads_per_second": rate,
        "changed_a_second": round(changed_a_second),
        "listed": sum(len(of.round.alert) for of in sent),
        **compared([of.round for of in sent]),
        "sender_late_p99_ms": round(max(of.late_seconds for of in sent) * 1000, 1),
    }


def show(rows: Sequence[dict[str, object]]) -> None:
    """Print the table."""
    for of in rows:
        print(*(f"{name} {value}" for name, value in of.items()), sep="   ")


@click.command()
@click.option("--rate", "rates", type=AMOUNT, multiple=True, default=RATES, show_default=True, help="Reads a second.")
@click.option("--entries", type=COUNT, default=1_000_000, show_default=True)
@click.option("--seconds", type=AMOUNT, default=5.0, show_default=True, help="How long each rate lasts in a round.")
@click.option("--rounds", type=COUNT, default=3, show_default=True)
@click.option("--beside", "is_beside", is_flag=True, help="Run a history and a console of the site meanwhile.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def main(  # noqa: PLR0913  one argument for each option
    rates: Sequence[float], entries: int, seconds: float, rounds: int, *, is_beside: bool, as_json: bool
) -> None:
    """Measure each rate and print milliseconds since reads were due."""
    with opened(entries, is_beside=is_beside) as port:
        rows = measured(port, rates, seconds, rounds)
    if as_json:
        about = {"entries": entries, "seconds": seconds, "rounds": rounds, "beside": is_beside}
        print(json.dumps({**about, "rows": rows}))
    else:
        show(rows)


if __name__ == "__main__":
    main()
