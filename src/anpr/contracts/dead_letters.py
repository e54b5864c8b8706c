"""Dead letters: the fields to print, and which ones are sent again."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from msgspec import Struct

# The header of a dead letter that was sent again.
REPLAYED: Final = "replayed"


class DeadLetter(Struct, frozen=True, kw_only=True):
    """A record of a site's dead-letter topic. `number` is its offset on that topic.

    `topic`, `partition` and `offset` give the original position of the record, `size_bytes` its original length.
    Where it is not whole, `value` holds only its beginning. `is_replayed` marks a dead letter that was sent again
    since; `has_failed_again` one that is the result of such a replay and could not be matched either. `value` may
    contain a plate.
    """

    site: str
    at: datetime
    number: int
    reason: str
    detail: str
    topic: str
    partition: int
    offset: int
    size_bytes: int
    is_whole: bool
    is_replayed: bool
    has_failed_again: bool
    value: bytes

    @property
    def can_be_replayed(self) -> bool:
        """Whether sending it again can help: it is whole, and nobody has tried it yet."""
        return self.is_whole and not self.is_replayed and not self.has_failed_again

    def as_dict(self, *, with_content: bool) -> dict[str, object]:
        """Return the fields to print. The content, which may include a plate, comes only `with_content`."""
        fields: dict[str, object] = {
            name: getattr(self, name) for name in self.__struct_fields__ if name not in {"value", "detail"}
        }
        if with_content:
            fields |= {"detail": self.detail, "content": self.value.decode("utf-8", "backslashreplace")}
        return fields


@dataclass
class Replay:
    """How many dead letters were sent again, were sent before, and are cut short and so cannot be sent."""

    sent: int = 0
    sent_before: int = 0
    cut_short: int = 0


def replay(letters: Iterable[DeadLetter], send: Callable[[DeadLetter], None], *, again: bool) -> Replay:
    """Send the dead letters that were not sent again yet, or with `again` all dead letters; each content once.

    A record that fails again is on the topic a second time, with a mark. A record can also be there twice because its
    matcher was killed or its camera repeated it. So the content decides what counts as sent. The letters must start
    at the topic's beginning, the oldest first.
    """
    result = Replay()
    sent: set[bytes] = set()
    for letter in letters:
        digest = hashlib.sha256(letter.value).digest()
        if not letter.is_whole:
            result.cut_short += 1
        elif digest in sent or not (letter.can_be_replayed or again):
            result.sent_before += 1
            sent.add(digest)
        else:
            send(letter)
            sent.add(digest)
            result.sent += 1
    return result
