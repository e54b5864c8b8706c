"""The hand-written loop as a dataflow of Bytewax. It keeps its place in a store of its own, so it commits nothing."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import bytewax.operators as op
import msgspec
from bytewax.connectors.kafka import KafkaSinkMessage, KafkaSource, KafkaSourceMessage
from bytewax.connectors.kafka import operators as kafka_op
from bytewax.dataflow import Dataflow
from bytewax.testing import run_main
from confluent_kafka import OFFSET_BEGINNING

from benchmarks.loops.cost import Work, cost_of
from benchmarks.loops.fields import Fields


def hand_written(plates: frozenset[str]) -> Callable[[Work], int]:
    """Return the loop."""

    def run(work: Work) -> int:
        decode = msgspec.json.Decoder(Fields).decode
        alerts = 0

        def listed(read: KafkaSourceMessage) -> KafkaSinkMessage | None:
            nonlocal alerts
            if decode(read.value).plate not in plates:
                return None
            alerts += 1
            return KafkaSinkMessage(None, read.value)

        flow = Dataflow("reads")
        source = KafkaSource(
            [work.kafka], [work.reads_topic], starting_offset=OFFSET_BEGINNING, tail=False, batch_size=1000
        )
        found = op.filter_map("listed", op.input("reads", flow, source), listed)
        settings = {"enable.idempotence": "true", "acks": "all"}
        kafka_op.output("alerts", found, brokers=[work.kafka], topic=work.alerts_topic, add_config=settings)
        run_main(flow)
        return alerts

    return run


if __name__ == "__main__":
    loop = hand_written(frozenset(json.loads(Path(sys.argv[2]).read_bytes())))
    sys.stdout.buffer.write(msgspec.json.encode(cost_of(loop, msgspec.json.decode(sys.argv[1], type=Work))))
