"""Where a generation of the watchlist is: what the head in Redis says, and nothing of the entries themselves."""

from datetime import datetime

from msgspec import Struct

from anpr.events import Generation


class BasePlace(Struct, frozen=True):
    """The entries that the deltas of a list start from: `chunks` values named after `id`, in order of entry id.

    `digest` is over the index of the chunks, which holds a digest of each.
    """

    id: str
    chunks: int
    entries: int
    digest: str


class DeltaPlace(Struct, frozen=True):
    """A small change: one value, named after the generation that wrote it, that concerns `entries` entries."""

    generation: Generation
    entries: int
    digest: str


class ListPlace(Struct, frozen=True):
    """Where one list is: a base, then deltas in the order in which they count.

    `generation` is the last one by which a person changed the list and `applied_at` is when; what housekeeping does
    leaves them. `base_since` is when the base was written: a text that is gone from the list may be in it still.
    """

    generation: Generation
    applied_at: datetime
    entries: int
    base: BasePlace
    base_since: datetime
    deltas: tuple[DeltaPlace, ...] = ()


class Head(Struct, frozen=True):
    """The generation in force."""

    generation: Generation
    applied_at: datetime
    replication_id: str
    lists: dict[str, ListPlace]
