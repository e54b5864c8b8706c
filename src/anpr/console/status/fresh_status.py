"""Waits for the status of the next tick, so that a board that has stopped never reports that all is well."""

from anpr.console.auth.authentication import SignedIn
from anpr.console.board.board_thread import BoardThread
from anpr.console.status.current_status import CurrentStatus, KnownStatus

# Ticks follow four times a second.
WAIT_SECONDS = 10.0


class FreshStatus:
    """Waits for the next tick."""

    def __init__(self, thread: BoardThread, current_status: CurrentStatus) -> None:
        """`thread` updates `current_status` at each tick."""
        self._thread = thread
        self._current_status = current_status

    async def known_to(self, who: SignedIn) -> KnownStatus | None:
        """Return the status that the user may see, at the next tick; None when no tick comes."""
        ticks = self._current_status.ticks
        if not await self._thread.wait_until(lambda _: self._current_status.ticks > ticks, WAIT_SECONDS):
            return None
        return self._current_status.known_to(covert=who.user.covert)
