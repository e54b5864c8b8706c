"""What a change of a list leaves behind, for whoever made it, for the log, and for a roll-back."""

from dataclasses import dataclass
from datetime import datetime

from msgspec import Struct

from anpr.events import Generation
from anpr.watchlist.places import ListPlace


class Applied(Struct, frozen=True, kw_only=True):
    """What a change of a list changed, and the generation that is in force by it."""

    generation: Generation
    list: str
    entries: int
    added: int
    changed: int
    removed: int


class Logged(Applied, frozen=True, kw_only=True):
    """A change as the log keeps it. `how` is the command that made it."""

    at: datetime
    how: str
    who: str
    why: str
    file_sha256: str = ""


class Previous(Struct, frozen=True):
    """A state of a list that was replaced at a time."""

    place: ListPlace
    replaced_at: datetime


@dataclass(frozen=True, slots=True)
class Author:
    """Who changes a list by which command, and the digest of the file that it came from."""

    who: str = ""
    how: str = "apply"
    file_sha256: str = ""
