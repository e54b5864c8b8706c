"""The watchlist's home in Redis: every change is a new generation, put in force all at once.

Theory of operation. `head` says which generation is in force and, for each list, where its entries are: a base of
250 entries to a value, and small deltas on it (`values`, `places`). A change writes its entries first and then
the head, by one transaction that fails when anybody else has changed the head since it was read; so nobody ever
sees half of one. A change that is small beside its list costs one delta. Before it the older ones are taken together
where one is not larger than the next, so there are never more than a few, and who follows reads the newest alone.
When they outgrow a share of the base, housekeeping writes the base anew (`write_anew`).

Beside them, under `anpr:watchlist:`:

- `ended`: by entry_id, which revision ended it, when and why. A tombstone stays as long as the alerts topics keep
  alerts; `ended_at` orders them by age.
- `previous:<list>`: where the list was before, a bounded number and time, to roll back to.
- `log`: who changed what, when and why.

A generation is (epoch, number). The number counts changes; the epoch is renewed when Redis has another replication
id than at the last change, which it has after every fail-over. So a home that lost the newest changes in a
fail-over can't give their generation out again.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
import redis

from anpr.contracts.events import NO_GENERATION, Entry, EntryEnded, Generation
from anpr.matching.encoding.encoded_entry import encoded
from anpr.runtime.errors import AnprError, InputError, UnavailableError
from anpr.runtime.nearest import nearest
from anpr.watchlist.changes import Changes, between, changed
from anpr.watchlist.progress import Progress, silent
from anpr.watchlist.store.change_records import (
    NO_PRECONDITIONS,
    AppliedChange,
    Author,
    LoggedChange,
    Preconditions,
    PreviousState,
)
from anpr.watchlist.store.entry_storage import (
    CHUNK_ENTRIES,
    UNNAMED_VALUES_LAST,
    delta_key,
    keys_of,
    new_delta,
)
from anpr.watchlist.store.manifest import CompactedFrom, DeltaRef, ListManifest, Manifest, SnapshotRef
from anpr.watchlist.store.reader import ENDED, HEAD, LOG, WatchlistReader, connect, previous_key, unavailable, whole

__all__ = ["NO_GENERATION", "AppliedChange", "Author", "Manifest", "Preconditions", "WatchlistStore", "connect"]

NOBODY = Author()

# What concerns more entries than this share of the base, and than fit a chunk, is for a base: every change reads all
# deltas.
_DELTA_SHARE = 0.02
_LOG_RECORDS = 10_000
# Entries named by one command to Redis.
_AT_ONCE = 1000
_ENDED_AT = ENDED + "_at"


@dataclass(frozen=True, slots=True)
class _Edit:
    """A change that was worked out: `before` has the entries that it concerns as they were, or `all_before` all.

    What housekeeping changes is no state of the list that anybody would plan against or roll back to. `place` is
    where it has put the list itself.
    """

    changes: Changes
    before: Mapping[str, Entry]
    all_before: Mapping[str, Entry] | None = None
    by_people: bool = True
    place: ListManifest | None = None


class WatchlistStore(WatchlistReader):
    """Reads and changes the list. Every method raises UnavailableError while Redis does not answer."""

    def __init__(
        self,
        client: redis.Redis,
        keep_ended: timedelta,
        keep_previous: int = 10,
        keep_previous_for: timedelta = timedelta(hours=72),
        head_client: redis.Redis | None = None,
    ) -> None:
        """Say how long tombstones stay (as long as the alerts topics keep alerts), and what can be rolled back to."""
        super().__init__(client, head_client)
        self._keep_ended = keep_ended
        self._keep_previous = keep_previous
        self._keep_previous_for = keep_previous_for

    def apply(  # noqa: PLR0913  what, why, when, who, on what
        self,
        list_name: str,
        entries: Sequence[Entry],
        why: str,
        now: datetime,
        *,
        author: Author = NOBODY,
        terms: Preconditions = NO_PRECONDITIONS,
        progress: Progress = silent,
    ) -> AppliedChange:
        """Put these entries in force as the whole of a list. No two have the same id.

        Raises InputError when another list has one of their ids, AnprError when the terms are not met or the list
        has changed meanwhile. Nothing is changed then.
        """

        def edit(place: ListManifest | None, generation: Generation) -> _Edit:
            all_before = self._all_by_id(place)
            return _Edit(between(all_before, entries, generation), all_before, all_before)

        return self._commit(list_name, edit, why=why, now=now, author=author, terms=terms, progress=progress)

    def change(  # noqa: PLR0913  as above
        self,
        list_name: str,
        put: Sequence[Entry],
        remove: Sequence[str],
        *,
        why: str,
        now: datetime,
        author: Author,
        terms: Preconditions = NO_PRECONDITIONS,
    ) -> AppliedChange:
        """Put some entries of a list in force and take some off by their ids. Raises as `apply` does."""

        def edit(place: ListManifest | None, generation: Generation) -> _Edit:
            before = self.entries_of(place, [*(entry.entry_id for entry in put), *remove])
            of_put = between({e.entry_id: before[e.entry_id] for e in put if e.entry_id in before}, put, generation)
            return _Edit(Changes(of_put.put, sorted(before.keys() & set(remove))), before)

        return self._commit(list_name, edit, why=why, now=now, author=author, terms=terms, progress=silent)

    def rollback(  # noqa: PLR0913  as above
        self,
        list_name: str,
        to: Generation | None,
        *,
        why: str,
        now: datetime,
        author: Author,
        terms: Preconditions = NO_PRECONDITIONS,
        progress: Progress = silent,
    ) -> AppliedChange:
        """Put in force again what a list held at a generation, or before its last change. Raises as `apply` does."""
        kept = {one.place.generation: one.place for one in self.previous(list_name)}
        if not kept or (to is not None and to not in kept):
            raise InputError(
                "watchlist-nothing-to-roll-back-to",
                f"the list {list_name!r} cannot be rolled back to {to or 'what it was'}; there is "
                + (", ".join(map(str, kept)) or "nothing kept of it"),
                "`anpr watchlist show` says what is kept; older states are applied again from their file",
            )
        entries = whole(self.load_list(kept[to or max(kept)]))
        return self.apply(list_name, entries, why, now, author=author, terms=terms, progress=progress)

    def expire(self, list_name: str, entry_ids: Sequence[str], now: datetime) -> AppliedChange:
        """Take entries off whose validity has ended, as far as it has."""

        def edit(place: ListManifest | None, _: Generation) -> _Edit:
            before = self.entries_of(place, entry_ids)
            over = sorted(one.entry_id for one in before.values() if one.valid_until <= now)
            return _Edit(Changes([], over), before, by_people=False)

        return self._commit(
            list_name,
            edit,
            why="its validity has ended",
            now=now,
            author=Author(how="expire"),
            terms=Preconditions(new_list=False),
            progress=silent,
        )

    def write_anew(self, list_name: str, head: Manifest, now: datetime) -> AppliedChange:
        """Write a list's base with the deltas taken in that it has in `head`, without the texts that they took off.

        It takes seconds for a list of a million, and holds up nobody's changes meanwhile: what they wrote stays as
        deltas. Raises AnprError when the base was replaced meanwhile.
        """
        written = head.lists[list_name]
        base = self._write_anew(written)

        def edit(place: ListManifest | None, _: Generation) -> _Edit:
            if place is None or place.base != written.base:
                raise _ChangedMeanwhileError
            after = msgspec.structs.replace(
                place,
                base=base,
                base_since=now,
                deltas=tuple(delta for delta in place.deltas if delta.generation > head.generation),
                made_of=CompactedFrom(written.base.id, written.deltas),
            )
            return _Edit(Changes([], []), {}, by_people=False, place=after)

        return self._commit(
            list_name,
            edit,
            why="written anew, without the texts that are gone from it",
            now=now,
            author=Author(how="write anew"),
            terms=Preconditions(new_list=False),
            progress=silent,
        )

    def _write_anew(self, place: ListManifest) -> SnapshotRef:
        try:
            entries = whole(self._values.encoded(place))
            entries.sort(key=lambda one: one[0].entry_id)
            return self._values.write_base(entries, len(entries), silent)
        except redis.RedisError as error:
            raise unavailable(error) from error

    def _commit(  # noqa: PLR0913  as above
        self,
        list_name: str,
        find: Callable[[ListManifest | None, Generation], _Edit],
        *,
        why: str,
        now: datetime,
        author: Author,
        terms: Preconditions,
        progress: Progress,
    ) -> AppliedChange:
        """Work out a change of what is in force and put it in force, unless a person has changed it meanwhile.

        What housekeeping changed meanwhile is worked in.
        """
        while True:
            begun = self.head()
            try:
                return self._try_commit(list_name, find, why, now, author, terms, progress)
            except _OvertakenError:
                if _states(self.head()) != _states(begun):
                    raise

    def _try_commit(  # noqa: PLR0913, PLR0917  as above
        self,
        list_name: str,
        find: Callable[[ListManifest | None, Generation], _Edit],
        why: str,
        now: datetime,
        author: Author,
        terms: Preconditions,
        progress: Progress,
    ) -> AppliedChange:
        try:
            with self._redis.pipeline() as pipe:
                pipe.watch(HEAD)
                head = self.head()
                replication_id = str(self._redis.info("replication")["master_replid"])
                generation = _next_generation(head, replication_id, now)
                place = head.lists.get(list_name) if head else None
                check_terms(terms, list_name, head, place)
                edit = find(place, generation)
                self._refuse_shared_ids(head, list_name, [entry.entry_id for entry in edit.changes.put])
                applied = _applied(list_name, edit, place, generation)
                if terms.guard is not None:
                    terms.guard.check(list_name, place.entries if place else 0, applied.removed, applied.entries)
                new_place, deltas = self._placed(place, edit, applied, now, progress)
                pipe.multi()
                lists = {**(head.lists if head else {}), list_name: new_place}
                pipe.set(HEAD, msgspec.json.encode(Manifest(generation, now, replication_id, lists)))
                for key, delta in deltas.items():
                    pipe.set(key, delta)
                self._keep(pipe, list_name, place, new_place, now, may_return=edit.by_people)
                self._bury(pipe, edit.changes.removed, generation, why, now)
                logged = LoggedChange(
                    **msgspec.structs.asdict(applied),
                    at=now, how=author.how, who=author.who, why=why, file_sha256=author.file_sha256,
                )  # fmt: skip
                pipe.rpush(LOG, msgspec.json.encode(logged))
                pipe.ltrim(LOG, -_LOG_RECORDS, -1)
                self._execute(pipe, generation)
        except redis.RedisError as error:
            raise unavailable(error) from error
        return applied

    def _execute(self, pipe: Any, generation: Generation) -> None:
        try:
            pipe.execute()
        except (redis.WatchError, redis.ConnectionError, redis.TimeoutError) as error:
            # The client also tells a connection lost during a watch by WatchError: only its cause tells them apart.
            lost = error if not isinstance(error, redis.WatchError) else error.__context__
            if lost is None:
                raise _OvertakenError from None
            raise UnavailableError(
                "watchlist-apply-unknown",
                f"the watchlist's Redis stopped answering while generation {generation} was put in force ({lost}): "
                "all of it is in force, or nothing of it",
                "see with `anpr watchlist show` which generation is in force; if it is an older one, do it again",
            ) from error

    def _placed(
        self, place: ListManifest | None, edit: _Edit, applied: AppliedChange, now: datetime, progress: Progress
    ) -> tuple[ListManifest, dict[str, bytes]]:
        """Return where the list is after the change, and the values of its deltas that are new, by their keys."""
        changes = edit.changes
        if edit.place is not None:
            return edit.place, {}
        by, at = (
            (applied.generation, now) if place is None or edit.by_people else (place.generation, place.applied_at)
        )
        if place is None or _are_many(changes.size, place):
            entries = changed(list(self._all_before(place, edit)), changes)
            entries.sort(key=lambda entry: entry.entry_id)
            base = self._values.write_base(encoded(entries), len(entries), progress)
            return ListManifest(by, at, applied.entries, base, now), {}
        if not changes.size:
            return msgspec.structs.replace(place, generation=by, applied_at=at), {}
        older, values = self._fewer(place.deltas)
        newest, value = new_delta(changes, applied.generation)
        after = msgspec.structs.replace(
            place, generation=by, applied_at=at, entries=applied.entries, deltas=(*older, newest)
        )
        return after, {**values, delta_key(newest): value}

    def _fewer(self, deltas: tuple[DeltaRef, ...]) -> tuple[tuple[DeltaRef, ...], dict[str, bytes]]:
        """Take the last deltas together that are not larger than those after them; return all, and what is new."""
        stay, taken = list(deltas), list[DeltaRef]()
        while stay and (not taken or stay[-1].entries <= sum(delta.entries for delta in taken)):
            taken.insert(0, stay.pop())
        if len(taken) < 2:
            return deltas, {}
        together, value = whole(self._values.taken_together(taken))
        return (*stay, together), {delta_key(together): value}

    def _all_before(self, place: ListManifest | None, edit: _Edit) -> Iterable[Entry]:
        if edit.all_before is not None:
            return edit.all_before.values()
        return self._all_by_id(place).values()

    def _all_by_id(self, place: ListManifest | None) -> dict[str, Entry]:
        return {entry.entry_id: entry for entry in whole(self.load_list(place))} if place else {}

    def _refuse_shared_ids(self, head: Manifest | None, list_name: str, entry_ids: Sequence[str]) -> None:
        """Raise InputError when another list has one of these ids: their alerts would be taken for one another's."""
        for other, place in head.lists.items() if head and entry_ids else ():
            shared = sorted(whole(self._values.ids(place, entry_ids))) if other != list_name else []
            if shared:
                raise InputError(
                    "watchlist-shared-ids",
                    f"{len(shared)} entry ids of {list_name!r}, {shared[0]!r} among them, are in the list {other!r}; "
                    "nothing was changed",
                    "an id belongs to one entry of one list: change the ids, or leave the column out",
                )

    def _keep(  # noqa: PLR0913  what was, what is, and where to write it
        self,
        pipe: Any,
        list_name: str,
        before: ListManifest | None,
        after: ListManifest,
        now: datetime,
        *,
        may_return: bool,
    ) -> None:
        """Keep what the list was, as far as it may be rolled back to, and let the values of all else go."""
        kept = self.previous(list_name) + ([PreviousState(before, now)] if before and may_return else [])
        stay = [one for one in kept[-self._keep_previous :] if now - one.replaced_at < self._keep_previous_for]
        pipe.set(previous_key(list_name), msgspec.json.encode(stay), ex=self._keep_previous_for)
        named = keys_of(after)
        returning: set[str] = set().union(*(keys_of(one.place) for one in stay)) - named
        for key in sorted(keys_of(before).union(*(keys_of(one.place) for one in kept)) - named - returning):
            pipe.expire(key, UNNAMED_VALUES_LAST)
        for key in sorted(returning & keys_of(before)):
            pipe.expire(key, self._keep_previous_for)
        if before is None or before.base.id != after.base.id:
            for key in sorted(named):
                pipe.persist(key)

    def _bury(self, pipe: Any, entry_ids: Sequence[str], generation: Generation, why: str, now: datetime) -> None:
        for some in _slices(entry_ids):
            ends = [EntryEnded(entry_id=one, revision=generation, ended_at=now, why=why) for one in some]
            pipe.hset(ENDED, mapping={one.entry_id: msgspec.json.encode(one) for one in ends})
            pipe.zadd(_ENDED_AT, dict.fromkeys(some, now.timestamp()))
        old = self._redis.zrangebyscore(_ENDED_AT, "-inf", (now - self._keep_ended).timestamp())
        for some in _slices(old):
            pipe.hdel(ENDED, *some)
            pipe.zrem(_ENDED_AT, *some)


def _slices(things: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (things[start : start + _AT_ONCE] for start in range(0, len(things), _AT_ONCE))


def _applied(list_name: str, edit: _Edit, place: ListManifest | None, generation: Generation) -> AppliedChange:
    added = sum(entry.entry_id not in edit.before for entry in edit.changes.put)
    removed = len(edit.changes.removed)
    return AppliedChange(
        generation=generation,
        list=list_name,
        entries=(place.entries if place else 0) + added - removed,
        added=added,
        changed=len(edit.changes.put) - added,
        removed=removed,
    )


def have_deltas_outgrown(place: ListManifest) -> bool:
    """Tell whether so much has changed since a list's base was written that it should be written anew."""
    return _are_many(sum(delta.entries for delta in place.deltas), place)


def _are_many(changed_entries: int, place: ListManifest) -> bool:
    return changed_entries > max(CHUNK_ENTRIES, place.base.entries * _DELTA_SHARE)


class _ChangedMeanwhileError(AnprError):
    def __init__(self) -> None:
        super().__init__(
            "watchlist-changed-meanwhile",
            "somebody else changed the watchlist at the same time; nothing was changed",
            "do it again",
        )


class _OvertakenError(_ChangedMeanwhileError):
    """Another change was put in force while this one was worked out; worked out anew it may well be."""


def _states(head: Manifest | None) -> dict[str, Generation]:
    """Return by which generation people last changed each list."""
    return {name: place.generation for name, place in head.lists.items()} if head else {}


def check_terms(terms: Preconditions, list_name: str, head: Manifest | None, place: ListManifest | None) -> None:
    """Raise AnprError when what is in force is not what the change is meant for."""
    if head is None and not (terms.first_list and terms.new_list):
        raise AnprError(
            "watchlist-emptied",
            "Redis holds no watchlist at all; nothing was changed",
            "if it held one, it came back empty: restore it first, for what is put into it now replaces every list. "
            "If this is the first list, say so: --new-list",
        )
    if place is None and not terms.new_list:
        raise InputError(
            "watchlist-no-such-list",
            f"there is no list {list_name!r}; the nearest that there is: "
            f"{nearest(list_name, head.lists if head else ())!r}; nothing was changed",
            "name a list that is there, or, if it is to be a new one, say so: --new-list",
        )
    at = place.generation if place else NO_GENERATION
    if terms.base is not None and terms.base != at:
        raise AnprError(
            "watchlist-changed-since-plan",
            f"the list {list_name!r} is at generation {at}, and this is meant for {terms.base}; nothing was changed",
            "plan again, and look at what would change now",
        )


def _next_generation(head: Manifest | None, replication_id: str, now: datetime) -> Generation:
    if head is not None and head.replication_id == replication_id:
        return Generation(epoch=head.generation.epoch, number=head.generation.number + 1)
    epoch = round(now.timestamp() * 1000)
    return Generation(epoch=max(epoch, head.generation.epoch + 1) if head else epoch, number=1)
