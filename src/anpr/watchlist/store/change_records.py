"""What a change of a list leaves behind, for whoever made it, for the log, and for a roll-back."""

from dataclasses import dataclass
from datetime import datetime

from msgspec import Struct

from anpr.contracts.events import Generation
from anpr.watchlist.removal_limit import RemovalLimit
from anpr.watchlist.store.manifest import ListManifest


class AppliedChange(Struct, frozen=True, kw_only=True):
    """What a change of a list changed, and the generation that is in force by it."""

    generation: Generation
    list: str
    entries: int
    added: int
    changed: int
    removed: int


class LoggedChange(AppliedChange, frozen=True, kw_only=True):
    """A change as the log keeps it. `how` is the command that made it."""

    at: datetime
    how: str
    who: str
    why: str
    file_sha256: str = ""


class PreviousState(Struct, frozen=True):
    """A state of a list that was replaced at a time."""

    place: ListManifest
    replaced_at: datetime


@dataclass(frozen=True, slots=True)
class Author:
    """Who changes a list by which command, and the digest of the file that it came from."""

    who: str = ""
    how: str = "apply"
    file_sha256: str = ""


@dataclass(frozen=True, slots=True)
class Preconditions:
    """On what a change is made: on anything else nothing is changed.

    `base` is the generation that last changed the list, 0.0 when there is no such list, None when it does not matter.
    `new_list` lets the list be a new one, `first_list` lets Redis hold no list at all.
    """

    base: Generation | None = None
    new_list: bool = True
    first_list: bool = True
    guard: RemovalLimit | None = None


NO_PRECONDITIONS = Preconditions()
