"""One console: what its routes share, put together once."""

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import jinja2
import msgspec

from anpr.board.board import Board
from anpr.board.board_feed import BoardFeed
from anpr.board.canary_sender import CanarySender
from anpr.board.incident import Incident
from anpr.console.actions.action_producer import ActionProducer
from anpr.console.auth import permissions
from anpr.console.auth.audit_log import AuditEntry, AuditLog, known_as
from anpr.console.auth.failed_sign_ins import FailedSignIns
from anpr.console.auth.sessions import LOOK_AGAIN, Session, Sessions
from anpr.console.auth.sign_in_limit import SharedSignInLimit
from anpr.console.auth.users import User, UsersFile
from anpr.console.board.board_page import BoardPage
from anpr.console.board.board_thread import BoardThread
from anpr.console.board.change_stream import ChangeStream
from anpr.console.board.stream_limit import StreamLimit
from anpr.console.board.triage import rules_of
from anpr.console.http.render import environment
from anpr.console.image_retention import sweep_images
from anpr.console.local_time import in_zone
from anpr.console.status.console_metrics import tell
from anpr.console.status.last_read import last_read_at
from anpr.console.status.status_reader import system_status_of
from anpr.console.status.status_warnings import status_warnings
from anpr.contracts.events import Alert
from anpr.kafka.interfaces import Producer
from anpr.runtime.clock import Clock
from anpr.runtime.errors import AnprError
from anpr.runtime.images import ImageStore
from anpr.runtime.logs import get_logger
from anpr.runtime.settings import Settings

log = get_logger(__name__)

BEAT_SECONDS = 2.0
# For so long a console may read back what was. Then it shows what it has, for a port may be out of reach.
READ_BACK_FOR = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who asks."""

    user: User
    session: Session

    def may(self, right: str) -> bool:
        """Tell whether this person has a right."""
        return permissions.may(self.user.role, right)


class Console:
    """The console of one site."""

    def __init__(  # noqa: PLR0913  everything it touches is handed in
        self,
        *,
        site: str,
        settings: Settings,
        feed: BoardFeed,
        open_producer: Callable[[], Producer],
        sessions: Sessions,
        sign_in_limit: SharedSignInLimit,
        users: UsersFile,
        audit: AuditLog,
        images: ImageStore,
        govuk: Path | None,
        canary: CanarySender | None,
        clock: Clock,
    ) -> None:
        """`feed` must hold what is covert too; `govuk` is the folder of GOV.UK Frontend, None without it."""
        self.canary = canary
        self.site = site
        self.settings = settings
        self.clock = clock
        self.users = users
        self.sessions = sessions
        self.sign_in_limit = sign_in_limit
        self.audit = audit
        self.images = images
        self.govuk = govuk
        here = settings.sites[site]
        self.at = in_zone(here.zone)
        self.templates: jinja2.Environment = environment(govuk, here.zone)
        self.templates.globals |= {"site": site, "site_title": here.title, "time_zone": here.time_zone}
        self.templates.globals |= {
            "has_cameras": bool(here.cameras),
            "ack_due_seconds": settings.console.ack_due_seconds,
        }
        self.writer = ActionProducer(open_producer)
        self.rules = rules_of(settings, site)
        start_id = secrets.token_hex(4)
        self.board_pages = {
            covert: BoardPage(board, self.rules, settings.sites, self.templates, ChangeStream(start_id))
            for covert, board in ((False, feed.board), (True, feed.whole_board or feed.board))
        }
        self.live = BoardThread(feed, self._look, clock)
        # Set, and replaced by another, when there is something to be sent: all who wait for it are woken at once.
        self.woken = asyncio.Event()
        self.beat = b""
        self.is_stopping = False
        self.stream_limit = StreamLimit()
        self.failed_sign_ins = FailedSignIns()
        self.last_read_at: datetime | None = None
        self._opened_at = clock()
        self._has_read_back = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to read. Called in the event loop that serves the pages."""
        self._loop = asyncio.get_running_loop()
        self.live.start()
        self._tasks = [
            self._loop.create_task(sweep_images(self.images, self.clock)),
            self._loop.create_task(self._beat_on()),
            self._loop.create_task(self._look_after_sessions()),
        ]
        if self.canary is not None:
            self.canary.start()

    def end_streams(self) -> None:
        """Let every event stream end, for the console is to stop. A signal's handler may call it."""
        self.is_stopping = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._wake)

    async def stop(self) -> None:
        """Stop reading and let everything go."""
        for task in self._tasks:
            task.cancel()
        if self.canary is not None:
            await asyncio.to_thread(self.canary.stop)
        await asyncio.to_thread(self.live.stop)
        await self.sessions.close()
        await self.sign_in_limit.close()
        self.audit.close()

    def is_reading_back(self) -> bool:
        """Tell whether this console has just been started and does not have the whole board yet."""
        if not self._has_read_back:
            self._has_read_back = self.live.has_read_all() or self.clock() - self._opened_at >= READ_BACK_FOR
        return not self._has_read_back

    def page_for(self, who: SignedIn) -> BoardPage:
        """Return the page of the audience that a person belongs to."""
        return self.board_pages[who.user.covert]

    @staticmethod
    def board_for(who: SignedIn, feed: BoardFeed) -> Board:
        """Return the board of what a person may know."""
        return feed.whole_board or feed.board if who.user.covert else feed.board

    def colleagues(self, *, covert: bool) -> frozenset[str]:
        """Return who can be handed something at this site: of what is covert only those who may know of it."""
        return frozenset(
            user.name
            for user in self.users.users().values()
            if user.belongs_to(self.site)
            and permissions.may(user.role, permissions.ACT)
            and (user.covert or not covert)
        )

    async def incident(self, who: SignedIn, incident_id: str) -> Incident | None:
        """Return an incident by the id of any of its alerts, if the person may know of it."""
        return await self.live.ask(lambda feed: self.board_for(who, feed).incident_of(incident_id, self.clock()))

    async def note_look_up(
        self, who: SignedIn, what: str, incident: Incident | None = None, alerts: Sequence[Alert] | None = None
    ) -> None:
        """Put a look-up into the audit log before it is answered. Raises UnavailableError if that cannot be.

        `alerts` are those of the incident that were looked at: without them all.
        """
        entry = AuditEntry(at=self.clock(), site=self.site, user=who.user.name, role=who.user.role, what=what)
        lines = [entry]
        if incident is not None:
            known = await self.live.ask(
                lambda feed: known_as(incident, alerts or incident.alerts, feed.board, self.clock())
            )
            lines = [
                msgspec.structs.replace(entry, incident_id=one.incident_id, plate=one.plate, covert=covert)
                for covert, one in known
            ]
        await asyncio.to_thread(self.audit.write, *lines)

    def note_failed_sign_in(self, name: str, address: str, what: str) -> None:
        """Put a sign-in that failed into the audit log, or enough of them where there are many.

        Nobody waits for it: the time of the answer must not tell whether there is such a name. One that is not known
        is not written, for it may be a password that was typed into the wrong field.
        """
        now = self.clock()
        user = self.users.users().get(name)
        known = user.name if user else ""
        times = self.failed_sign_ins.times(now, known, address)
        if not times:
            return
        if self.failed_sign_ins.is_full:
            what += "; more failures in these minutes are not recorded"
        entry = AuditEntry(
            at=now,
            site=self.site,
            user=known,
            role=user.role if user else "",
            what=what,
            address=address,
            times=times,
        )

        def write() -> None:
            try:
                self.audit.write(entry)
            except AnprError as error:
                log.warning("a failed sign-in is not in the audit log", reason=str(error))

        asyncio.get_running_loop().run_in_executor(None, write)

    def new_beat(self) -> bytes:
        """Return the event by which a browser knows that the console is alive, and its clock."""
        beat = {
            "now": self.clock(),
            "frozen_seconds": round(self.live.frozen_seconds()),
            "last_read_at": self.last_read_at,
        }
        return b"event: beat\ndata: %b\n\n" % msgspec.json.encode(beat)

    def _look(self, feed: BoardFeed, now: datetime) -> None:
        """Make the pictures of both audiences, in the board's thread, and hand them to the event loop."""
        self.last_read_at = last_read_at(feed.health(now), self.site, self.settings.sites)
        states: list[tuple[BoardPage, Mapping[str, object]]] = []
        for covert, page in self.board_pages.items():
            sight = system_status_of(feed, self.settings, now, covert=covert)
            states.append((page, page.picture(status_warnings(sight, self.settings, self.at), now)))
            if not covert:
                tell(sight, page.head)

        def publish() -> None:
            news = [page.stream.publish(state) for page, state in states]
            if any(news):
                self._wake()

        if self._loop is not None:
            self._loop.call_soon_threadsafe(publish)

    def _wake(self) -> None:
        woken, self.woken = self.woken, asyncio.Event()
        woken.set()

    async def _beat_on(self) -> None:
        """Say every two seconds that the console is alive."""
        while True:
            self.beat = self.new_beat()
            self._wake()
            await asyncio.sleep(BEAT_SECONDS)

    async def _look_after_sessions(self) -> None:
        while True:
            await self.sessions.look_again()
            await asyncio.sleep(LOOK_AGAIN.total_seconds())
