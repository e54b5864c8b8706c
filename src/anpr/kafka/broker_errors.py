"""The broker's refusals: the error code of each kind, and how an engineer can remove the cause."""

from typing import Final

from confluent_kafka import KafkaError, KafkaException

from anpr.kafka.delivery_errors import TOO_LARGE, RejectedError
from anpr.runtime.errors import UnavailableError

NOT_AUTHORISED: Final = "kafka-not-authorised"
_CODES: Final = {
    KafkaError.FENCED_INSTANCE_ID: "kafka-fenced",
    KafkaError.UNKNOWN_TOPIC_OR_PART: "kafka-topic-missing",
    KafkaError._UNKNOWN_TOPIC: "kafka-topic-missing",  # noqa: SLF001  its public name
    # A producer reports this of a deleted topic, because it still knows the topic's partitions.
    KafkaError._UNKNOWN_PARTITION: "kafka-topic-missing",  # noqa: SLF001  its public name
    KafkaError.MSG_SIZE_TOO_LARGE: TOO_LARGE,
    KafkaError.RECORD_LIST_TOO_LARGE: TOO_LARGE,
    KafkaError.TOPIC_AUTHORIZATION_FAILED: NOT_AUTHORISED,
    KafkaError.GROUP_AUTHORIZATION_FAILED: NOT_AUTHORISED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: NOT_AUTHORISED,
    KafkaError.SASL_AUTHENTICATION_FAILED: NOT_AUTHORISED,
    KafkaError._AUTHENTICATION: NOT_AUTHORISED,  # noqa: SLF001  its public name
    # The group does not accept this member's settings: the client tries again for ever and gets no partition.
    KafkaError.INVALID_SESSION_TIMEOUT: "kafka-refused",
    KafkaError.INCONSISTENT_GROUP_PROTOCOL: "kafka-refused",
    KafkaError.GROUP_MAX_SIZE_REACHED: "kafka-refused",
}
# A running client recovers from these without help; a single request fails with them.
_NO_ANSWER: Final = {
    KafkaError._TRANSPORT,  # noqa: SLF001  its public name, as all below
    KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001
    KafkaError._TIMED_OUT,  # noqa: SLF001
    KafkaError._TIMED_OUT_QUEUE,  # noqa: SLF001
    KafkaError._RESOLVE,  # noqa: SLF001
    KafkaError._WAIT_COORD,  # noqa: SLF001
    KafkaError.REQUEST_TIMED_OUT,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.NOT_COORDINATOR,
}
NEXT_STEPS: Final = {
    "kafka-unavailable": "check that the broker runs and its address is right: `anpr doctor` tries every address",
    "kafka-fenced": "another matcher runs with the same --name: give each matcher its own name",
    "kafka-topic-missing": "create the topics with `anpr topics --create`",
    TOO_LARGE: "compare the topic's max.message.bytes with `anpr topics`: another program or person set it",
    NOT_AUTHORISED: "give this service's user the permission that the message names",
    "kafka-refused": "nothing is lost: unacknowledged reads are not committed. The broker's log has the reason",
}


def code_of(error: KafkaError) -> str:
    """Return the error code (a heading of docs/errors.md) for an error of the broker or its client."""
    number = error.code()
    if number == KafkaError._FATAL:  # noqa: SLF001  its public name
        # A consumer that cannot continue gives the reason only in its text.
        number = next((number for number in _CODES if KafkaError(number).str() in error.str()), number)
    return _CODES.get(number, "kafka-unavailable" if number in _NO_ANSWER else "kafka-refused")


def is_refusal(error: KafkaError) -> bool:
    """Return whether the client gets nothing, however long it tries, until a person removes the cause."""
    return error.code() in _CODES or error.code() == KafkaError._FATAL  # noqa: SLF001  its public name


def refused(subject: str, error: KafkaException | RejectedError) -> UnavailableError:
    """Return the error to show to a person. `subject` is the start of the message: which broker refuses what."""
    if isinstance(error, RejectedError):
        code, reason = error.code, str(error)
    else:
        code, reason = code_of(error.args[0]), error.args[0].str()
    return UnavailableError(code, f"{subject}: {reason}", NEXT_STEPS[code])
