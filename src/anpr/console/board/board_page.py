"""The page of the live board for one audience: what is on it, card by card, and the stream that tells of its changes.

There are two audiences: everybody, and those who may also know what is covert. Each has a board of its own, folded
from what it may know, so nothing has to be hidden here.

Only what has changed is looked at again, so that ten thousand open incidents cost no more than ten: the board tells
what has, and a heap tells what time alone has changed: what was not claimed in time, is listed no more, is too old.
"""

import bisect
import heapq
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

import jinja2
from msgspec import Struct

from anpr.board.board import Board, Key
from anpr.board.incident import Incident
from anpr.console.board.change_stream import ChangeStream
from anpr.console.board.triage import NOWHERE, SECTIONS, SETTLED, BoardPosition, Rules, position_of
from anpr.console.http.render import card_view
from anpr.runtime.settings import Site

# The most urgent of each section are on the page; how many more there are is said.
MOST_CARDS = 100
MOST_OVER = 10
HEAD = "head"


class Card(Struct, frozen=True):
    """An incident on the page."""

    section: str
    order: str
    rings: str
    html: str


class PageHead(Struct, frozen=True):
    """The head of the page. `count` is `?` while something is wrong; `known` is what is known even so."""

    count: str
    known: int
    by_section: dict[str, int]
    warnings: tuple[str, ...]


NOTHING_READ: Final = PageHead("?", 0, {}, ("The console has just started and has not read anything yet.",))


class _Placed(NamedTuple):
    where: BoardPosition
    incident: Incident

    @property
    def stands(self) -> tuple[str, str]:
        """Its place in its section; no two have the same."""
        return self.where.order, self.incident.incident_id


class BoardPage:
    """Makes the state of the page. `picture` belongs to the board's thread, `stream` to the event loop's."""

    def __init__(
        self,
        board: Board,
        rules: Rules,
        sites: Mapping[str, Site],
        templates: jinja2.Environment,
        stream: ChangeStream,
    ) -> None:
        """Show `board` as the site of `rules` sees it."""
        self.stream = stream
        self._board = board
        self._rules = rules
        self._sites = sites
        self._template = templates.get_template("card.html")
        self._changed = board.track_changes()
        self._of_key: dict[Key, list[_Placed]] = {}
        # Of each section its incidents as they stand in it: where and which.
        self._sections: dict[str, list[tuple[str, str]]] = {section: [] for section in SECTIONS}
        self._placed: dict[str, _Placed] = {}
        self._changed.update(board.keys())
        self._due: list[tuple[datetime, Key]] = []
        # Of each key the next time only, so that the heap does not grow with every alert.
        self._due_at: dict[Key, datetime] = {}
        self._looked_at: datetime | None = None
        self._made: dict[str, tuple[_Placed, Card]] = {}
        self.head = NOTHING_READ

    def picture(self, warnings: Sequence[str], now: datetime) -> Mapping[str, object]:
        """Return the state of the page: the head and, by incident, the cards."""
        keys = self._to_place(now)
        for key in keys:
            self._take_away(key)
        for key in keys:
            self._place(key, now)
        shown = [name for section, of_section in self._sections.items() for _, name in of_section[: _most(section)]]
        self._made = {name: (self._placed[name], self._card(self._placed[name])) for name in shown}
        counts = {section: len(of_section) for section, of_section in self._sections.items() if section != SETTLED}
        known = sum(counts.values())
        self.head = PageHead(
            count="?" if warnings else str(known),
            known=known,
            by_section=counts,
            warnings=tuple(warnings),
        )
        return {HEAD: self.head, **{name: card for name, (_, card) in self._made.items()}}

    def behind(self, section: str, start: int) -> tuple[Sequence[tuple[str, Card]], int]:
        """Return the next of a section from `start` on, by name, and how many it has. For the board's thread."""
        names = [name for _, name in self._sections[section][start : start + MOST_CARDS]]
        return [(name, self._card(self._placed[name])) for name in names], len(self._sections[section])

    def _to_place(self, now: datetime) -> Iterable[Key]:
        """Return what must be looked at again, and forget that it must."""
        keys = set(self._changed)
        self._changed.clear()
        if self._looked_at is not None and now < self._looked_at:
            # The clock was set back: what it had brought about too early, an entry's end among it, holds no more.
            keys.update(self._board.keys())
        self._looked_at = now
        # Now as well: most changes are there at their very moment. The few that come just after it are due again.
        while self._due and self._due[0][0] <= now:
            due_at, key = heapq.heappop(self._due)
            if self._due_at.get(key) == due_at:
                del self._due_at[key]
                keys.add(key)
        return keys

    def _look_again(self, key: Key, at: datetime) -> None:
        if key not in self._due_at or at < self._due_at[key]:
            self._due_at[key] = at
            heapq.heappush(self._due, (at, key))

    def _take_away(self, key: Key) -> None:
        for before in self._of_key.pop(key, ()):
            section = self._sections[before.where.section]
            del section[bisect.bisect_left(section, before.stands)]
            del self._placed[before.incident.incident_id]

    def _place(self, key: Key, now: datetime) -> None:
        placed = [_Placed(position_of(one, self._rules, now), one) for one in self._board.incidents_of(key, now)]
        for one in placed:
            if one.where.changes_at is not None:
                self._look_again(key, one.where.changes_at)
        if placed:
            self._of_key[key] = [one for one in placed if one.where.section != NOWHERE]
            for one in self._of_key[key]:
                bisect.insort(self._sections[one.where.section], one.stands)
                self._placed[one.incident.incident_id] = one
            changes_at = self._board.changes_at(key, now)
            if changes_at is not None:
                self._look_again(key, changes_at)

    def _card(self, placed: _Placed) -> Card:
        """Return the card, the one made before while nothing of it has changed."""
        before = self._made.get(placed.incident.incident_id)
        if before is not None and (before[0] is placed or _shows_the_same(before[0], placed)):
            return before[1]
        where = placed.where
        view = card_view(placed.incident, self._sites, self._rules.site, where)
        html = self._template.render(card=view, review_below_score=self._rules.review_below_score)
        return Card(where.section, where.order, where.rings, html)


def _shows_the_same(one: _Placed, other: _Placed) -> bool:
    return one.incident is other.incident and one.where == other.where


def _most(section: str) -> int:
    return MOST_OVER if section == SETTLED else MOST_CARDS
