"""Keeps the list `turned_away` at the watchlist's home as the outcomes of all sites say.

It follows the alerts and actions of every site, covert ones too, and writes nothing but its list. It remembers
nothing: what must be on the list follows from the topics, and the difference to what is there is one ordinary change.
So it may be killed at any moment, and a second one at the same time does no harm.

It acts on an outcome only when the topics that decide about it have been read to their end: before that, an outcome
that was undone looks as if it stood. It takes an entry off only for a reason that it has read: while a broker is
away, entries stay until their day is over.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from anpr.board.board_records import board_topics, is_covert
from anpr.board.site_health import NOT_READ_YET
from anpr.board.topic_follower import OpenTail, TopicFollower
from anpr.contracts import canary, turned_away
from anpr.contracts.events import Action, Alert, Entry
from anpr.contracts.site_topics import UNREADABLE, SiteTopic, check_time, decode
from anpr.kafka.interfaces import Record
from anpr.runtime.clock import Clock
from anpr.runtime.errors import AnprError
from anpr.runtime.logs import get_logger
from anpr.runtime.settings import Settings
from anpr.turned_away.outcomes import Decision, TurnedAwayOutcomes, changes_to_make
from anpr.watchlist.store.applied_change import Author
from anpr.watchlist.store.manifest import Manifest
from anpr.watchlist.store.preconditions import Preconditions
from anpr.watchlist.store.store import WatchlistStore
from anpr.watchlist.store.transaction import ChangedMeanwhileError

log = get_logger(__name__)

_HOLDS: Final = ("alerts", "actions")
_AUTHOR: Final = Author("list keeper", "turned-away")
_WHY_PUT: Final = "turned away at another port"
_WHY_REMOVED: Final = "not turned away after all: the outcome was undone, or the plate was another one"
# Redis that came back empty is a fault: the keeper leaves it so, as the canary does.
_NOT_FIRST: Final = Preconditions(allows_first_list=False)
_PRUNE_EVERY_SECONDS: Final = 600.0


class TurnedAwayKeeper:
    """Call `start`, then `run_once` again and again."""

    def __init__(
        self,
        settings: Settings,
        open_tail: OpenTail,
        store: WatchlistStore,
        clock: Clock,
        stopwatch: Callable[[], float] = time.monotonic,
    ) -> None:
        """Follow the topics of all sites by `open_tail`, and change the list in `store`."""
        self._sites = settings.sites
        self._store = store
        self._clock = clock
        self._stopwatch = stopwatch
        self._topics = {
            name: topic
            for name, topic in board_topics(settings.sites, with_covert=True).items()
            if topic.holds in _HOLDS
        }
        by_address: defaultdict[str, list[str]] = defaultdict(list)
        for name, topic in self._topics.items():
            by_address[settings.sites[topic.site].kafka].append(name)
        self._follower = TopicFollower(open_tail, by_address)
        self._outcomes = TurnedAwayOutcomes(settings.sites, settings.board)
        self._facts = 0
        self._read_to_end: frozenset[str] = frozenset()
        # What the list was last compared for: facts, sites that were read to their end, generation.
        self._compared: object = None
        # The same with what was known of the outcomes: when the list agreed with it.
        self._agreed: object = None
        self._logged_code = ""
        self._refusal = ""
        self._prune_at = stopwatch()

    def start(self) -> None:
        """Start to read the topics."""
        self._follower.start()

    def stop(self) -> None:
        """Stop reading, and disconnect from the brokers."""
        self._follower.stop()

    def run_once(self) -> None:
        """Bring the list up to date. An error is logged, and the next run tries again."""
        self._fold_new_records()
        try:
            manifest = self._store.read_manifest()
            if manifest is not None:
                self._compare(manifest)
        except ChangedMeanwhileError:
            return  # the next run sees what the other change was
        except AnprError as error:
            if error.code != self._logged_code:  # only once while Redis is away
                log.warning("the list of vehicles that were turned away cannot be updated", code=error.code)
            self._logged_code, self._refusal = error.code, f"{error} (docs/errors.md#{error.code})"
        else:
            self._logged_code = self._refusal = ""

    def problems(self) -> list[str]:
        """Return why vehicles that were turned away may be missing at other ports, none when all is well."""
        unread = [
            f"outcomes of {site.title} are not known: " + (self._follower.problem(site.kafka) or NOT_READ_YET)
            for name, site in self._sites.items()
            if name not in self._read_to_end or self._follower.problem(site.kafka)
        ]
        failed = len(self._outcomes.failed)
        faults = [f"{failed} outcomes cannot be used, by a fault of this program"] if failed else []
        return [*unread, *faults, *([self._refusal] if self._refusal else [])]

    def _fold_new_records(self) -> None:
        for record in self._follower.records(0):
            self._fold_alone(record)
        self._read_to_end |= {name for name, site in self._sites.items() if self._follower.has_caught_up(site.kafka)}
        if self._stopwatch() >= self._prune_at:
            self._prune_at = self._stopwatch() + _PRUNE_EVERY_SECONDS
            self._outcomes.prune(self._clock())

    def _fold_alone(self, record: Record) -> None:
        """Fold a record. One that cannot be folded costs only itself."""
        try:
            self._fold(record, self._topics[record.topic])
        except UNREADABLE as error:
            where = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
            log.warning("record cannot be read", why=str(error), **where)
        except Exception:
            log.exception("a record cannot be folded")

    def _fold(self, record: Record, topic: SiteTopic) -> None:
        fact = decode(record.value or b"", topic)
        check_time(fact, record.arrived_at)
        if isinstance(fact, Alert) and not canary.is_canary(fact):
            self._outcomes.add_alert(fact, is_covert=is_covert(fact, topic))
        elif isinstance(fact, Action):
            self._outcomes.add_action(fact, record.offset, record.arrived_at, is_covert=topic.is_covert)
        self._facts += 1

    def _compare(self, manifest: Manifest) -> None:
        """Make the list what the outcomes say, unless nothing has changed since it was compared."""
        state = (self._facts, self._read_to_end, manifest.generation)
        if state == self._compared:
            return
        now = self._clock()
        known = self._outcomes.decisions(now)
        # Most records are of vehicles that nobody has turned away: Redis need not be asked for them.
        if (known, self._read_to_end, manifest.generation) != self._agreed:
            decisions = [
                decision
                for decision in self._outcomes.decisions(now, self._covert_sources(manifest, known))
                if decision.sites <= self._read_to_end
            ]
            if self._changes_list(manifest, decisions):
                return  # the next run looks at what it has become
            self._agreed = (known, self._read_to_end, manifest.generation)
        self._compared = state

    def _changes_list(self, manifest: Manifest, decisions: Sequence[Decision]) -> bool:
        """Change the list if it is not what these decisions say, and return whether it was not."""
        listed = self._store.entries_of(manifest.lists.get(turned_away.LIST), [one.entry_id for one in decisions])
        put, removed = changes_to_make(decisions, listed)
        if removed:
            self._change([], removed, listed, _WHY_REMOVED)
        elif put:
            self._change(put, [], listed, _WHY_PUT)
        return bool(removed or put)

    def _change(self, put: Sequence[Entry], removed: Sequence[str], listed: Mapping[str, Entry], why: str) -> None:
        """Change the list unless somebody else has changed one of these entries since."""
        named = {*removed, *(entry.entry_id for entry in put)}
        applied = self._store.change(
            turned_away.LIST,
            put,
            removed,
            why=why,
            now=self._clock(),
            author=_AUTHOR,
            preconditions=_NOT_FIRST,
            replaced={entry_id: entry for entry_id, entry in listed.items() if entry_id in named},
            is_by_person=False,
        )
        log.info(
            "vehicles that were turned away",
            added=applied.added,
            removed=applied.removed,
            generation=str(applied.generation),
        )

    def _covert_sources(self, manifest: Manifest, decisions: Sequence[Decision]) -> set[tuple[str, str]]:
        """Return, of the entries for which vehicles were stopped, those that are covert now: list and id."""
        by_list: defaultdict[str, set[str]] = defaultdict(set)
        for decision in decisions:
            list_name, entry_id = decision.source
            by_list[list_name].add(entry_id)
        return {
            (list_name, entry.entry_id)
            for list_name, entry_ids in by_list.items()
            for entry in self._store.entries_of(manifest.lists.get(list_name), sorted(entry_ids)).values()
            if entry.is_covert
        }
