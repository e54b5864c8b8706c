"""The gateway without servers: what it reports while the broker rejects its lines."""

import os
from datetime import timedelta
from pathlib import Path

from anpr.contracts import topics
from anpr.gateway.line_reader import LineReader
from anpr.gateway.sender import Sender
from anpr.gateway.spool import Spool
from anpr.kafka.in_memory import InMemoryBroker, InMemoryProducer
from anpr.kafka.rejections import Rejections
from tests.support.entries import read_line
from tests.support.strategies import NOON

SITE = "calais"


def test_a_rejection_ends_once_the_broker_has_accepted_every_rejected_line(tmp_path: Path) -> None:
    broker, rejections = InMemoryBroker(lambda: NOON), Rejections("the broker", stopwatch=lambda: 0.0)
    seconds = [0.0]
    reading, writing = os.pipe()
    spool = Spool(tmp_path / "spool")
    sender = Sender(
        site=SITE,
        lines=LineReader(reading, 1000),
        open_producer=lambda: InMemoryProducer(broker),
        spool=spool,
        rejections=rejections,
        clock=lambda: NOON - timedelta(seconds=7200 * seconds[0]),  # it is set back meanwhile
        stopwatch=lambda: seconds[0],
    )
    broker.is_refusing = True
    os.write(writing, b"".join(read_line(str(number), SITE, "AB1") + b"\n" for number in range(3)))
    sender.run_once()
    sender.run_once()
    assert rejections.current is not None
    broker.is_refusing = False
    seconds[0] += 2
    sender.run_once()
    sender.run_once()
    assert len(broker.topics[topics.reads(SITE)]) == 3
    assert rejections.current is None, "it did not end by time: the stopwatch of this test stands still"
    os.close(writing)
    os.close(reading)
    spool.close()
