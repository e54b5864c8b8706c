"""What a broker's refusals mean to the person who runs a service, and what to do about each."""

from typing import Final

from confluent_kafka import KafkaError, KafkaException

from anpr.adapters.records import UndeliveredError
from anpr.errors import UnavailableError

_CODES: Final = {
    KafkaError.FENCED_INSTANCE_ID: "kafka-fenced",
    KafkaError.UNKNOWN_TOPIC_OR_PART: "kafka-topic-missing",
    KafkaError._UNKNOWN_TOPIC: "kafka-topic-missing",  # noqa: SLF001  its public name
    KafkaError.MSG_SIZE_TOO_LARGE: "kafka-record-too-large",
    KafkaError.RECORD_LIST_TOO_LARGE: "kafka-record-too-large",
    KafkaError.TOPIC_AUTHORIZATION_FAILED: "kafka-not-authorised",
    KafkaError.GROUP_AUTHORIZATION_FAILED: "kafka-not-authorised",
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: "kafka-not-authorised",
    KafkaError.SASL_AUTHENTICATION_FAILED: "kafka-not-authorised",
    KafkaError._AUTHENTICATION: "kafka-not-authorised",  # noqa: SLF001  its public name
}
NEXT_STEPS: Final = {
    "kafka-fenced": "another matcher runs under the same --name: give each its own",
    "kafka-topic-missing": "make the topics with `anpr topics --create`, then start it again",
    "kafka-record-too-large": "compare the topic's max.message.bytes with `anpr topics`; it was made by other hands",
    "kafka-not-authorised": "give this service's user the right that the message names, then start it again",
    "kafka-refused": "nothing is lost: what the broker has not acknowledged is not committed. Start it again",
}


def code_of(error: KafkaError) -> str:
    """Return the code of `anpr.errors` for what the broker or its client says."""
    number = error.code()
    if number == KafkaError._FATAL:  # noqa: SLF001  its public name
        # A consumer that cannot go on tells why in words only.
        number = next((number for number in _CODES if KafkaError(number).str() in error.str()), number)
    return _CODES.get(number, "kafka-refused")


def refused(what: str, error: KafkaException | UndeliveredError) -> UnavailableError:
    """Return the error that a person is shown; `what` says which broker ended what."""
    if isinstance(error, UndeliveredError):
        code, reason = error.code, str(error)
    else:
        code, reason = code_of(error.args[0]), error.args[0].str()
    return UnavailableError(code, f"{what}: {reason}", NEXT_STEPS[code])
