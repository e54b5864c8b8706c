"""Reads of the simulators as records of a topic of any size, and the stores of a history that they go to."""

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import ascii_lowercase, ascii_uppercase, digits

from anpr.history.retention import KeptStores
from anpr.history.stores import open_all
from anpr.kafka.interfaces import OffsetGap, Record
from anpr.local.postgresql_server import PostgresqlServer
from anpr.runtime.settings_files import load_settings

SITE = "calais"
# What the stores are named for: not the site, whose stores another benchmark may have.
STORES = "benchmark"
PARTITIONS = 6
TEMPLATES = 10_000
# How often a vehicle comes; at each time some cameras read it.
VISITS = 8
CONFIG = Path("config")
_PLATE = re.compile(rb'"plate":"[^"]*"')
_BEFORE_PLATE = len(b'"plate":"')


class Topic:
    """A topic whose records are made while they are read: the simulators' reads again and again, with new ids.

    They arrive over the last `days`. Each time but VISITS the plates are other ones of the same layout.
    """

    topic_id = "benchmark"

    def __init__(self, lines: Sequence[bytes], count: int, days: int) -> None:
        self._lines = lines
        self._count = count
        self._step = timedelta(days=days) / count
        self._begin = datetime.now(UTC) - timedelta(days=days)
        self._next = 0
        self._fleets = max(1, count // len(lines) // VISITS)

    def poll(self, max_records: int, _: float) -> list[Record]:
        """Return the next records."""
        numbers = range(self._next, min(self._count, self._next + max_records))
        self._next = numbers.stop
        return [self._record(number) for number in numbers]

    def take_gaps(self) -> list[OffsetGap]:
        """Return none."""
        return []

    def lag(self) -> int:
        """Return how many records wait."""
        return self._count - self._next

    def _record(self, number: int) -> Record:
        line = self._lines[number % len(self._lines)]
        value = of_fleet(line, number // len(self._lines) % self._fleets)
        value = value.replace(b'"read_id":"', b'"read_id":"%d-' % number, 1)
        arrived_at = self._begin + number * self._step
        return Record("reads", number % PARTITIONS, number // PARTITIONS, arrived_at, value)


def of_fleet(line: bytes, fleet: int) -> bytes:
    """Return a read of another vehicle: each letter and digit of its plates is another one."""
    letters, numbers = fleet % len(ascii_uppercase), fleet // len(ascii_uppercase) % len(digits)
    old = ascii_uppercase + ascii_lowercase + digits
    new = "".join(
        alphabet[shift:] + alphabet[:shift]
        for alphabet, shift in ((ascii_uppercase, letters), (ascii_lowercase, letters), (digits, numbers))
    )
    table = bytes.maketrans(old.encode(), new.encode())
    return _PLATE.sub(lambda found: found[0][:_BEFORE_PLATE] + found[0][_BEFORE_PLATE:].translate(table), line)


def simulated_lines(folder: Path) -> list[bytes]:
    """Return reads of the simulators as their lines."""
    file = folder / "reads.jsonl"
    command = [sys.executable, "-m", "simulators", "--site", SITE, "--for", "30s", "--speed", "120", "--volume", "10"]
    subprocess.run([*command, "--out", str(file)], check=True, capture_output=True)  # noqa: S603  this project's
    return file.read_bytes().splitlines()[:TEMPLATES]


def plates_of(lines: Iterable[bytes]) -> list[str]:
    """Return the plates of the reads."""
    return [json.loads(line)["plate"] for line in lines]


@contextmanager
def server_of(kind: str) -> Iterator[str]:
    """Return the address of a PostgreSQL that lasts as long as the context; nothing for SQLite."""
    if kind == "postgresql":
        with PostgresqlServer() as server:
            yield server.url
    else:
        yield ""


@contextmanager
def opened(folder: Path, url: str) -> Iterator[KeptStores]:
    """Open the stores of the site: in the PostgreSQL at `url`, or without it in the folder."""
    settings = load_settings(CONFIG, {"ANPR_HISTORY__FOLDER": str(folder), "ANPR_HISTORY__URL": url})
    stores = open_all(settings, STORES)
    try:
        yield stores
    finally:
        stores.close()
