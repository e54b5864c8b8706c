"""The boards of the two audiences: everybody, and people with the covert permission. Pure.

Covert facts never reach the fold of the open board, so nothing has to be hidden when a page is drawn
(docs/adr/0017).
"""

from datetime import datetime

from anpr.board.board import Board, empty_board
from anpr.contracts.events import Action, Alert, Arrival, Correction, EntryEnded, EntryListed
from anpr.runtime.settings import Settings


class AudienceBoards:
    """The boards that facts are folded into.

    Attributes:
        open_board: The board that everybody may see.
        whole_board: The same with the covert facts; None unless that was asked for.
        change_count: How many facts have been folded. Each may change an incident.
    """

    def __init__(self, settings: Settings, *, with_covert: bool) -> None:
        self.open_board = empty_board(settings)
        self.whole_board = empty_board(settings) if with_covert else None
        self.change_count = 0

    def add(self, fact: Alert | Correction | Action | Arrival, offset: int, *, is_covert: bool) -> None:
        """Fold a fact of a topic into the boards of its audience. `offset` is that of its record."""
        self.change_count += 1
        for board in self._boards_for(is_covert=is_covert):
            if isinstance(fact, Alert):
                board.add_alert(fact)
            elif isinstance(fact, Correction):
                board.add_correction(fact)
            elif isinstance(fact, Arrival):
                board.add_arrival(fact)
            else:
                board.add_action(fact, offset)

    def add_entry_update(self, update: EntryEnded | EntryListed) -> None:
        """Fold an update of an entry. A board ignores an entry without alerts."""
        self.change_count += 1
        for board in self._boards_for(is_covert=False):
            if isinstance(update, EntryEnded):
                board.add_entry_ended(update)
            else:
                board.add_entry_listed(update)

    def entries_named(self) -> dict[str, set[str]]:
        """Return, by list, the entries that incidents of any audience name."""
        return (self.whole_board or self.open_board).entries_named()

    def prune(self, now: datetime) -> None:
        """Forget incidents that are too old to be shown again."""
        for board in self._boards_for(is_covert=False):
            board.prune(now)

    def _boards_for(self, *, is_covert: bool) -> list[Board]:
        boards = [self.whole_board] if is_covert else [self.open_board, self.whole_board]
        return [board for board in boards if board is not None]
