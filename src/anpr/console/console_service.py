"""Starts and stops the parts of a console that run behind its pages, with the web server."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from anpr.audit.upkeep import AuditUpkeep
from anpr.board.canary_sender import CanarySender
from anpr.console.board.board_thread import BoardThread
from anpr.console.board.page_publisher import PagePublisher
from anpr.console.board.stream_broadcast import StreamBroadcast

BackgroundTask = Callable[[], Coroutine[Any, Any, None]]


class ConsoleService:
    """The board's thread, the background tasks, the canary and the upkeep of audit chains of one console."""

    def __init__(  # noqa: PLR0913  everything it runs is handed in
        self,
        board_thread: BoardThread,
        publisher: PagePublisher,
        broadcast: StreamBroadcast,
        *,
        background_tasks: Sequence[BackgroundTask],
        canary: CanarySender | None,
        audit_upkeep: AuditUpkeep,
        close: Callable[[], Awaitable[None]],
    ) -> None:
        """`background_tasks` run until they are cancelled; `close` disconnects from servers and files at the end."""
        self.board_thread = board_thread
        self._publisher = publisher
        self._broadcast = broadcast
        self._background_tasks = background_tasks
        self._canary = canary
        self._audit_upkeep = audit_upkeep
        self._close = close
        self._loop: asyncio.AbstractEventLoop | None = None
        self._running: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Start everything. Called in the event loop that serves the pages."""
        self._loop = asyncio.get_running_loop()
        self._publisher.publish_in(self._loop)
        self.board_thread.start()
        self._running = [self._loop.create_task(task()) for task in self._background_tasks]
        if self._canary is not None:
            self._canary.start()
        self._audit_upkeep.start()

    def end_streams(self) -> None:
        """End every event stream, because the console is about to stop. A signal handler may call it."""
        self._broadcast.is_stopping = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._broadcast.wake)

    async def stop(self) -> None:
        """Stop everything, and disconnect."""
        for task in self._running:
            task.cancel()
        if self._canary is not None:
            await asyncio.to_thread(self._canary.stop)
        await asyncio.to_thread(self.board_thread.stop)
        await asyncio.to_thread(self._audit_upkeep.stop)
        await self._close()
