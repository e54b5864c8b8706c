"""The hand-written loop as a dataframe of Quix Streams."""

import json
import sys
import tempfile
import uuid
from collections.abc import Callable
from pathlib import Path

import msgspec
from quixstreams import Application

from benchmarks.loops.cost import Work, cost_of
from benchmarks.loops.fields import Fields


def hand_written(plates: frozenset[str]) -> Callable[[Work], int]:
    """Return the loop. It decodes with msgspec: the library's own JSON takes longer."""

    def run(work: Work) -> int:
        decode = msgspec.json.Decoder(Fields).decode
        left, alerts = work.reads, 0

        def is_listed(value: bytes) -> bool:
            nonlocal left, alerts
            left -= 1
            if not left:
                application.stop()  # after this read; the library's own count is of what passes the filter
            if decode(value).plate not in plates:
                return False
            alerts += 1
            return True

        with tempfile.TemporaryDirectory() as state:
            application = Application(
                broker_address=work.kafka,
                consumer_group=uuid.uuid4().hex,
                auto_offset_reset="earliest",
                state_dir=state,
                use_changelog_topics=False,
                topic_create_timeout=10,
                loglevel="ERROR",
                commit_every=1000,
                producer_extra_config={"enable.idempotence": True, "acks": "all"},
            )
            reads = application.topic(work.reads_topic, value_deserializer="bytes")
            alerts_topic = application.topic(work.alerts_topic, value_serializer="bytes", key_serializer="bytes")
            application.dataframe(reads).filter(is_listed).to_topic(alerts_topic)
            application.run()
        return alerts

    return run


if __name__ == "__main__":
    loop = hand_written(frozenset(json.loads(Path(sys.argv[2]).read_bytes())))
    sys.stdout.buffer.write(msgspec.json.encode(cost_of(loop, msgspec.json.decode(sys.argv[1], type=Work))))
