"""The end of a chain. It holds no personal data, so others may keep it. Pure."""

from typing import NamedTuple


class Head(NamedTuple):
    """The id of a chain, and the sequence number and hash of its last record."""

    chain: str
    sequence: int
    hash: str
