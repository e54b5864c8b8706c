"""The record of a change of a list: for the caller, and for the log."""

from dataclasses import dataclass
from datetime import datetime

from msgspec import Struct, field

from anpr.contracts.events import Generation


class AppliedChange(Struct, frozen=True, kw_only=True):
    """How many entries a change of a list concerned, and the generation that it made."""

    generation: Generation
    list: str
    entries: int
    added: int
    changed: int
    removed: int


class LoggedChange(AppliedChange, frozen=True, kw_only=True):
    """A change as the log in Redis keeps it, with the person or service that made it and the command they used."""

    applied_at: datetime = field(name="at")
    command: str = field(name="how")
    user: str = field(name="who")
    why: str
    file_sha256: str = ""


@dataclass(frozen=True, slots=True)
class Author:
    """The user who changes a list, the command they use, and the digest of the file that the entries come from."""

    user: str = ""
    command: str = "apply"
    file_sha256: str = ""
