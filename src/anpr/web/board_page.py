"""The page of the live board for one audience: what is on it, card by card, and the feed that tells of its changes.

There are two audiences: everybody, and those who may also know what is covert. Each has a board of its own, folded
from what it may know, so nothing has to be hidden here.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

import jinja2
from msgspec import Struct

from anpr.board import Board
from anpr.incidents import Incident
from anpr.settings import Site
from anpr.web.feed import Feed
from anpr.web.lanes import LANES, OVER, Place, Rules, place
from anpr.web.render import card_view

# The most urgent of each lane are on the page; how many more there are is said.
MOST_CARDS = 100
MOST_OVER = 10
HEAD = "head"


class Card(Struct, frozen=True):
    """An incident on the page."""

    lane: str
    order: str
    rings: str
    html: str


class Head(Struct, frozen=True):
    """The head of the page. `count` is `?` while something is wrong; `known` is what is known even so."""

    count: str
    known: int
    lanes: dict[str, int]
    ringing: int
    faults: tuple[str, ...]


class BoardPage:
    """Makes the state of the page. `picture` belongs to the board's thread, `feed` to the event loop's."""

    def __init__(self, rules: Rules, sites: Mapping[str, Site], templates: jinja2.Environment, feed: Feed) -> None:
        """Show the board as the site of `rules` sees it."""
        self.feed = feed
        self._rules = rules
        self._sites = sites
        self._template = templates.get_template("card.html")
        self._made: dict[str, tuple[Incident, Place, Card]] = {}

    def picture(self, board: Board, faults: Sequence[str], now: datetime) -> Mapping[str, object]:
        """Return the state of the page: the head and, by incident, the cards."""
        placed: dict[str, list[tuple[Place, Incident]]] = {lane: [] for lane in LANES}
        for incident in board.incidents(now):
            where = place(incident, self._rules, now)
            placed[where.lane].append((where, incident))
        # Incidents come by urgency; of what is over the newest counts.
        placed[OVER] = sorted(placed[OVER], key=lambda one: one[0].order)[:MOST_OVER]
        shown = [one for lane in LANES for one in placed[lane][:MOST_CARDS]]
        made = {incident.incident_id: self._card(incident, where) for where, incident in shown}
        self._made = made
        counts = Counter({lane: len(placed[lane]) for lane in LANES if lane != OVER})
        known = counts.total()
        head = Head(
            count="?" if faults else str(known),
            known=known,
            lanes=dict(counts),
            ringing=sum(bool(where.rings) for where, _ in placed["now"]),
            faults=tuple(faults),
        )
        return {HEAD: head, **{name: card for name, (_, _, card) in made.items()}}

    def _card(self, incident: Incident, where: Place) -> tuple[Incident, Place, Card]:
        """Return the card, the one made before while nothing of it has changed."""
        before = self._made.get(incident.incident_id)
        if before is not None and before[0] is incident and before[1] == where:
            return before
        view = card_view(
            incident,
            self._sites,
            self._rules.site,
            lane=where.lane,
            rings=where.rings,
            waiting_since=where.waiting_since,
        )
        html = self._template.render(card=view, place=where, review_below_score=self._rules.review_below_score)
        return incident, where, Card(where.lane, where.order, where.rings, html)
