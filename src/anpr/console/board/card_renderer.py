"""Draws the cards of a page. An unchanged card is not drawn again."""

from collections.abc import Mapping, Sequence

import jinja2
from msgspec import Struct

from anpr.console.board.card_view import card_view
from anpr.console.board.placed_incidents import PlacedIncident
from anpr.console.board.triage import TriageRules
from anpr.runtime.logs import get_logger
from anpr.runtime.settings import Site

log = get_logger(__name__)


class Card(Struct, frozen=True):
    """An incident on the page, as browsers get it. `rings` and `calls` are as in `BoardPosition`.

    `lane` is where the vehicle was seen last, "" at other sites.
    """

    section: str
    priority: int
    lane: str
    order: str
    rings: str
    calls: str
    html: str


class CardRenderer:
    """The cards of one page.

    Attributes:
        not_drawn: The incidents of the last page whose cards could not be drawn.
    """

    def __init__(self, template: jinja2.Template, sites: Mapping[str, Site], rules: TriageRules) -> None:
        """Draw with `template`, as the site of `rules` sees an incident."""
        self._template = template
        self._sites = sites
        self._rules = rules
        self._drawn: dict[str, tuple[PlacedIncident, Card]] = {}
        self.not_drawn: set[str] = set()

    def draw_page(self, shown: Sequence[PlacedIncident]) -> dict[str, Card]:
        """Return the cards of a page by incident, and keep these, and only these, for the next time."""
        cards = self.draw_all(shown)
        ids = {placed.incident.incident_id: placed for placed in shown}
        self._drawn = {incident_id: (ids[incident_id], card) for incident_id, card in cards.items()}
        self.not_drawn = ids.keys() - cards.keys()
        return cards

    def draw_all(self, shown: Sequence[PlacedIncident]) -> dict[str, Card]:
        """Return the cards by incident. One that cannot be drawn is left out, and costs no other."""
        cards: dict[str, Card] = {}
        for placed in shown:
            try:
                cards[placed.incident.incident_id] = self.draw(placed)
            except Exception:
                if placed.incident.incident_id not in self.not_drawn:
                    log.exception("a card cannot be drawn")
        return cards

    def draw(self, placed: PlacedIncident) -> Card:
        """Return a card: the kept one while it has not changed."""
        before, card = self._drawn.get(placed.incident.incident_id, (None, None))
        if before is not None and card is not None and _shows_the_same(before, placed):
            return card
        position = placed.position
        view = card_view(placed.incident, self._sites, self._rules.site, position)
        html = self._template.render(card=view, review_below_score=self._rules.review_below_score)
        lane = (view.last.read.lane or "") if placed.incident.site == self._rules.site else ""
        priority = placed.incident.priority
        return Card(position.section, priority, lane, position.order, position.rings, position.calls, html)


def _shows_the_same(before: PlacedIncident, after: PlacedIncident) -> bool:
    return before is after or (before.incident is after.incident and before.position == after.position)
