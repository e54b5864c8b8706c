"""The page of the live board for one audience: its cards and its head, and the stream that carries their changes.

There are two audiences: everybody, and people with the covert permission. Each has a board of its own, folded only
from what that audience may know. So nothing has to be hidden here.

Only changes are computed again, so ten thousand open incidents cost no more than ten. The board names the keys that
new facts have changed. A schedule names those that time alone may have changed: an incident was not claimed in time,
its entry has expired, or it is too old for the board. When somebody signs in or out, what they have claimed is placed
again.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final

from msgspec import Struct

from anpr.board.board import Board, Key
from anpr.board.journeys import ALWAYS
from anpr.console.board.card_renderer import Card, CardRenderer
from anpr.console.board.change_stream import ChangeStream
from anpr.console.board.placed_incidents import PlacedIncident, PlacedIncidents
from anpr.console.board.revisit_schedule import RevisitSchedule
from anpr.console.board.triage import ELSEWHERE, NOW, NOWHERE, PASSED, SECTIONS, SETTLED, TriageRules, position_of
from anpr.runtime.logs import get_logger

log = get_logger(__name__)

# The page shows the most urgent incidents of each section, and says how many more there are.
MAX_CARDS = 100
MAX_SETTLED_CARDS = 10
HEAD = "head"
_SIGNED_IN_UNKNOWN: Final = (
    "It is not known who is signed in. Only the time since the last action shows whether a claim is unattended."
)


class PageHead(Struct, frozen=True):
    """The head of the page.

    Attributes:
        count: How many incidents are open; `?` while there is a warning. Of a vehicle that had left when it was
            listed, none counts: it needs nobody here.
        known: How many are known, even while there is a warning.
        by_section: How many are known in each section.
        warnings: Sentences that name the faults.
        newest: The incident that has waited for the shortest time, "" for none.
        notes: Sentences that say what the page goes by, where it knows less than usual.
    """

    count: str
    known: int
    by_section: dict[str, int]
    warnings: tuple[str, ...]
    notes: tuple[str, ...] = ()
    newest: str = ""


NOTHING_READ: Final = PageHead("?", 0, {}, ("The console has just started and has not read anything yet.",))


class BoardPage:
    """The state of the page. `update` and `cards_from` belong to the board's thread, `stream` to the event loop."""

    def __init__(self, board: Board, rules: TriageRules, cards: CardRenderer, stream: ChangeStream) -> None:
        """Show `board` as the site of `rules` sees it."""
        self.stream = stream
        self.head = NOTHING_READ
        self._board = board
        self._rules = rules
        self._cards = cards
        self._placed = PlacedIncidents()
        self._schedule = RevisitSchedule()
        self._changed = board.track_changes()
        self._changed.update(board.keys())
        self._updated_at: datetime | None = None
        self._signed_in: Collection[str] | None = None
        self._watched_until = ALWAYS
        self._not_placed: set[Key] = set()

    @property
    def not_shown(self) -> int:
        """How many vehicles and cards could not be computed and are missing from the page."""
        return len(self._board.failed_keys | self._not_placed) + len(self._cards.not_drawn)

    def update(
        self,
        warnings: Sequence[str],
        now: datetime,
        signed_in: Collection[str] | None = None,
        watched_until: datetime = ALWAYS,
    ) -> Mapping[str, object]:
        """Return the state of the page at `now`: the head and, by incident, the cards.

        The last two are as in `position_of`.
        """
        keys = self._keys_to_place(now)
        if signed_in != self._signed_in:
            self._signed_in = signed_in
            keys |= self._placed.keys_of(lambda incident: self._rules.site in incident.holders)
        if watched_until != self._watched_until:
            self._watched_until = watched_until
            keys |= self._placed.keys_of(lambda incident: incident.site in self._rules.routes)
        for key in keys:
            self._placed.remove(key)
        for key in keys:
            self._place_alone(key, now)
        by_section = {section: self._placed.count(section) for section in SECTIONS if section != SETTLED}
        known = sum(by_section.values()) - by_section[PASSED]
        notes = (_SIGNED_IN_UNKNOWN,) if signed_in is None else ()
        count = "?" if warnings else str(known)
        self.head = PageHead(count, known, by_section, tuple(warnings), notes, self._newest())
        shown = [placed for section in SECTIONS for placed in self._placed.most_urgent(section, _max_cards(section))]
        return {HEAD: self.head, **self._cards.draw_page(shown)}

    def cards_from(self, section: str, start: int) -> tuple[Sequence[tuple[str, Card]], int]:
        """Return the next cards of a section from `start` on, by incident, and how many incidents it has."""
        cards = self._cards.draw_all(self._placed.most_urgent(section, MAX_CARDS, start))
        return list(cards.items()), self._placed.count(section)

    def _newest(self) -> str:
        """Return the newest of the incidents that need somebody: here, else on the way here."""
        for section in (NOW, ELSEWHERE):
            waiting = [
                (placed.position.waits_since, placed.incident.incident_id)
                for placed in self._placed.most_urgent(section, MAX_CARDS)
                if placed.position.waits_since is not None
            ]
            if waiting:
                return max(waiting)[1]
        return ""

    def _keys_to_place(self, now: datetime) -> set[Key]:
        """Return the keys whose incidents may have changed, and forget them."""
        keys = {*self._changed, *self._schedule.pop_due(now)}
        self._changed.clear()
        if self._updated_at is not None and now < self._updated_at:
            # The clock was set back: changes that came too early, such as the end of an entry, no longer hold.
            keys.update(self._board.keys())
        self._updated_at = now
        return keys

    def _place_alone(self, key: Key, now: datetime) -> None:
        """Place the incidents of a key. If that fails, only they are missing, and the page says that some are."""
        try:
            self._place(key, now)
            self._not_placed.discard(key)
        except Exception:
            log.exception("a vehicle cannot be placed on the page")
            self._not_placed.add(key)

    def _place(self, key: Key, now: datetime) -> None:
        placed = [
            PlacedIncident(position_of(incident, self._rules, now, self._signed_in, self._watched_until), incident)
            for incident in self._board.incidents_of(key, now)
        ]
        if not placed:
            return
        self._placed.add(key, [entry for entry in placed if entry.position.section != NOWHERE])
        for changes_at in (self._board.changes_at(key, now), *(entry.position.changes_at for entry in placed)):
            if changes_at is not None:
                self._schedule.add(key, changes_at)


def _max_cards(section: str) -> int:
    return MAX_SETTLED_CARDS if section == SETTLED else MAX_CARDS
