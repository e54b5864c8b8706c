"""A search: the entries of one change of the lists on their way through the sightings. Pure.

What is kept of it on disk says only which sightings are done. So a search goes on wherever its process was killed: at
worst some sightings are gone through again, and their alerts have the same ids.
"""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from anpr.contracts.events import NO_GENERATION, Entry, Generation, Instant
from anpr.history.sighting import Source


class SourceProgress(Struct, frozen=True):
    """The sightings of a source before `next_offset` are done."""

    topic_id: str
    partition: int
    next_offset: int


class Search(Struct, frozen=True, kw_only=True):
    """Looks for the entries that changed after a generation, up to another one.

    `since` is the arrival of the first sighting that counts. `done` is None until what was stored at the beginning
    has been asked for by its keys; where keys do not help it is gone through with all the rest. `began_at` is when
    the search began, None in a file of an earlier version.
    """

    after: Generation
    upto: Generation
    since: Instant
    done: tuple[SourceProgress, ...] | None = None
    began_at: Instant | None = None

    def wants(self, entry: Entry) -> bool:
        """Tell whether it looks for an entry of the active list. One that changed again is in a later search."""
        return self.after < entry.revision <= self.upto

    def next_offsets(self) -> dict[Source, int]:
        """Return up to where each source is done."""
        return {Source(done.topic_id, done.partition): done.next_offset for done in self.done or ()}

    def with_done(self, next_offsets: Mapping[Source, int]) -> "Search":
        """Return the search with everything before these offsets done."""
        done = (
            SourceProgress(source.topic_id, source.partition, offset)
            for source, offset in sorted(next_offsets.items())
        )
        return replace(self, done=tuple(done))


class Progress(Struct, frozen=True, kw_only=True):
    """The searches that go on, the oldest first, and the generation up to which every change has its search."""

    checked: Generation = NO_GENERATION
    searches: tuple[Search, ...] = ()

    @property
    def looked_up_to(self) -> Generation:
        """The generation up to which everything has been looked for."""
        return min((search.after for search in self.searches), default=self.checked)

    @property
    def behind_since(self) -> datetime | None:
        """When the oldest search began; None where there is none, or it is not known."""
        return min((search.began_at for search in self.searches if search.began_at is not None), default=None)

    def left(self, stored: Mapping[Source, int]) -> int:
        """Return how many records all searches have yet to go through, if each source is stored up to there."""
        return sum(
            max(0, end - search.next_offsets().get(source, end))
            for search in self.searches
            for source, end in stored.items()
        )

    def with_new(self, upto: Generation, since: datetime, began_at: datetime | None = None) -> "Progress":
        """Return the progress with a search for what changed up to a generation; the same if it is known already."""
        if upto <= self.checked:
            return self
        new = Search(after=self.checked, upto=upto, since=since, began_at=began_at)
        return replace(self, checked=upto, searches=(*self.searches, new))

    def with_changed(self, before: Search, after: Search | None) -> "Progress":
        """Return the progress with a search replaced, or taken away because it has ended."""
        changed = (after if search == before else search for search in self.searches)
        return replace(self, searches=tuple(search for search in changed if search is not None))
