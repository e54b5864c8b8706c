"""Sends reads at an even pace, whether or not anybody keeps up: each has a moment at which it is due.

Each line on stdin is one `Order`. It answers with a line when it begins, and with one when it has sent the last read.
"""

import re
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from anpr.board.rates import percentile
from anpr.contracts import topics
from anpr.contracts.events import Read, encode
from anpr.kafka.producer import KafkaProducer
from benchmarks.stored_reads import SITE

CAMERAS: Final = 12
_CUT: Final = re.compile(rb'^\{"read_id":"[^"]*"(.*"camera":"([^"]*)".*"captured_at":")[^"]*(".*)$')
# The reads of an order are made before the first is due, so that sending one takes little. One is made in this time.
_LEAD_SECONDS: Final = 0.1
_MAKING_SECONDS: Final = 50e-6


class Order(Struct):
    """How many reads a second, for how long, and one of how many is listed. `name` tells the orders apart."""

    name: str
    rate: float
    seconds: float
    listed_every: int

    @property
    def count(self) -> int:
        """How many reads are sent."""
        return max(1, round(self.rate * self.seconds))

    def due(self) -> dict[str, float]:
        """Return the ids of the listed reads, each with the seconds from the beginning after which it is due."""
        return {self.read_id(number): number / self.rate for number in range(0, self.count, self.listed_every)}

    def read_id(self, number: int) -> str:
        """Return the id of a read, which says whether it is listed."""
        return f"{'other' if number % self.listed_every else 'listed'}-{self.name}-{number}"


class Template(Struct):
    """A read of the simulators without its id and its time."""

    camera: str
    before_time: bytes
    after_time: bytes

    def value(self, read_id: str, at: str) -> bytes:
        """Return the read with these."""
        return b'{"read_id":"%b"%b%b%b' % (read_id.encode(), self.before_time, at.encode(), self.after_time)


def templates(lines: Sequence[bytes]) -> list[Template]:
    """Return a template for each line that has a time."""
    cuts = [cut for line in lines if (cut := _CUT.match(line))]
    return [Template(cut[2].decode(), cut[1], cut[3]) for cut in cuts]


def records(
    order: Order, others: Sequence[Template], plates: Sequence[str], began: datetime
) -> Iterator[tuple[str, bytes]]:
    """Return the camera and the bytes of each read of an order, captured when it is due."""
    of_others, of_plates = cycle(others), cycle(plates)
    for number in range(order.count):
        read_id, at = order.read_id(number), began + timedelta(seconds=number / order.rate)
        if number % order.listed_every:
            other = next(of_others)
            yield other.camera, other.value(read_id, f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z")
        else:
            camera = f"{SITE}-uk-{number // order.listed_every % CAMERAS // 2 + 1}-front"
            read = Read(
                read_id=read_id, site=SITE, plate=next(of_plates), country="GB", camera=camera, captured_at=at
            )
            yield camera, encode(read)


def main(kafka: str, lines: str, plates: str) -> None:
    """Carry out orders until stdin ends. `lines` is a file of simulated reads, `plates` one of the listed plates."""
    producer = KafkaProducer(kafka)
    others = templates(Path(lines).read_bytes().splitlines())
    listed = Path(plates).read_text("utf-8").split()
    for line in sys.stdin:
        order = msgspec.json.decode(line, type=Order)
        lead_seconds = _LEAD_SECONDS + order.count * _MAKING_SECONDS
        began, at = time.monotonic() + lead_seconds, datetime.now(UTC) + timedelta(seconds=lead_seconds)
        made = list(records(order, others, listed, at))
        print(began, flush=True)
        print(send(producer, made, began, order.rate), flush=True)


def send(producer: KafkaProducer, made: Sequence[tuple[str, bytes]], began: float, rate: float) -> float | None:
    """Send each read when it is due. Return how many seconds late one in a hundred was."""
    late = []
    for number, (camera, value) in enumerate(made):
        while (ahead := began + number / rate - time.monotonic()) > 0:
            producer.flush(0)
            time.sleep(ahead)
        late.append(-ahead)
        producer.produce(topics.reads(SITE), camera, value)
    producer.flush(60)
    return percentile(late, 0.99)


if __name__ == "__main__":
    main(*sys.argv[1:])
