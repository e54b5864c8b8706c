"""Forwards the listed reads of a topic to another topic, and does nothing else: the least that two hops can take.

It uses the clients of the matcher's project, with their settings. It neither matches nor commits.
"""

import sys

from anpr.kafka.producer import KafkaProducer
from anpr.kafka.tail import KafkaTail

# The sender begins the id of each listed read so.
LISTED = b'"read_id":"listed-'


def main(kafka: str, from_topic: str, to_topic: str) -> None:
    """Forward without end."""
    tail, producer = KafkaTail(kafka, [from_topic]), KafkaProducer(kafka)
    while True:
        for record in tail.poll(0.1):
            if record.value is not None and LISTED in record.value:
                producer.produce(to_topic, None, record.value)
        producer.flush(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
