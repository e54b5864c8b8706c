"""What a broker's refusals mean to the person who runs a service, and what to do about each."""

from typing import Final

from confluent_kafka import KafkaError, KafkaException

from anpr.kafka.interfaces import TOO_LARGE, RejectedError
from anpr.runtime.errors import UnavailableError

NOT_AUTHORISED: Final = "kafka-not-authorised"
_CODES: Final = {
    KafkaError.FENCED_INSTANCE_ID: "kafka-fenced",
    KafkaError.UNKNOWN_TOPIC_OR_PART: "kafka-topic-missing",
    KafkaError._UNKNOWN_TOPIC: "kafka-topic-missing",  # noqa: SLF001  its public name
    # What a producer says of a topic that is gone, for it knows its partitions from before.
    KafkaError._UNKNOWN_PARTITION: "kafka-topic-missing",  # noqa: SLF001  its public name
    KafkaError.MSG_SIZE_TOO_LARGE: TOO_LARGE,
    KafkaError.RECORD_LIST_TOO_LARGE: TOO_LARGE,
    KafkaError.TOPIC_AUTHORIZATION_FAILED: NOT_AUTHORISED,
    KafkaError.GROUP_AUTHORIZATION_FAILED: NOT_AUTHORISED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: NOT_AUTHORISED,
    KafkaError.SASL_AUTHENTICATION_FAILED: NOT_AUTHORISED,
    KafkaError._AUTHENTICATION: NOT_AUTHORISED,  # noqa: SLF001  its public name
    # A group that will not have this member as it is: it asks again and again, and gets nothing.
    KafkaError.INVALID_SESSION_TIMEOUT: "kafka-refused",
    KafkaError.INCONSISTENT_GROUP_PROTOCOL: "kafka-refused",
    KafkaError.GROUP_MAX_SIZE_REACHED: "kafka-refused",
}
# A client that goes on mends these by itself; a question that is asked once fails with them.
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
    "kafka-unavailable": "is it running, and is its address right? `anpr doctor` tries every address",
    "kafka-fenced": "another matcher runs under the same --name: give each its own",
    "kafka-topic-missing": "make the topics with `anpr topics --create`",
    TOO_LARGE: "compare the topic's max.message.bytes with `anpr topics`; it was made by other hands",
    NOT_AUTHORISED: "give this service's user the right that the message names",
    "kafka-refused": "nothing is lost: what the broker has not acknowledged is not committed; its own log says more",
}


def code_of(error: KafkaError) -> str:
    """Return the code of `anpr.runtime.errors` for what the broker or its client says."""
    number = error.code()
    if number == KafkaError._FATAL:  # noqa: SLF001  its public name
        # A consumer that cannot go on tells why in words only.
        number = next((number for number in _CODES if KafkaError(number).str() in error.str()), number)
    return _CODES.get(number, "kafka-unavailable" if number in _NO_ANSWER else "kafka-refused")


def is_refusal(error: KafkaError) -> bool:
    """Tell whether a client that goes on would go on without what it needs, until somebody mends it."""
    return error.code() in _CODES or error.code() == KafkaError._FATAL  # noqa: SLF001  its public name


def refused(what: str, error: KafkaException | RejectedError) -> UnavailableError:
    """Return the error that a person is shown; `what` says which broker refuses what."""
    if isinstance(error, RejectedError):
        code, reason = error.code, str(error)
    else:
        code, reason = code_of(error.args[0]), error.args[0].str()
    return UnavailableError(code, f"{what}: {reason}", NEXT_STEPS[code])
