"""The errors that the Kafka clients raise. Pure."""

from typing import Final

# The broker would accept this record if it were smaller.
TOO_LARGE: Final = "kafka-record-too-large"


class RejectedError(Exception):
    """The broker refuses, until a person removes the cause. `code` is a heading of docs/errors.md."""

    def __init__(self, message: str, code: str = "kafka-refused") -> None:
        super().__init__(message)
        self.code = code


class UndeliveredError(RejectedError):
    """The broker refused a record. The reads that it came from must not be committed."""
