"""Builds a console from its settings and its servers. Nothing else knows all of its parts."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

import jinja2
import redis.asyncio
from starlette.types import ASGIApp

from anpr.audit.chain import AuditChain
from anpr.audit.expiry import Expiry
from anpr.audit.head_keeper import HeadKeeper
from anpr.audit.head_publisher import HeadPublisher
from anpr.audit.upkeep import AuditUpkeep
from anpr.board.board_feed import BoardFeed
from anpr.board.canary_sender import CanarySender
from anpr.board.entry_updates import ListSource
from anpr.board.journeys import routes_to
from anpr.board.topic_follower import OpenTail
from anpr.console.actions.action_producer import ActionProducer
from anpr.console.actions.submit import ActionSubmitter
from anpr.console.auth.audit_trail import AuditTrail
from anpr.console.auth.authentication import Authentication
from anpr.console.auth.failed_sign_in_log import FailedSignInLog
from anpr.console.auth.sessions import Sessions
from anpr.console.auth.sign_in_limit import SharedSignInLimit
from anpr.console.auth.sign_in_service import SignInService
from anpr.console.auth.signed_in_users import SignedInUsers
from anpr.console.auth.users_file import UsersFile
from anpr.console.board.board_access import BoardAccess
from anpr.console.board.board_page import BoardPage
from anpr.console.board.board_thread import BoardThread
from anpr.console.board.card_renderer import CardRenderer
from anpr.console.board.change_stream import ChangeStream
from anpr.console.board.heartbeat import heartbeat_event
from anpr.console.board.page_publisher import PagePublisher
from anpr.console.board.site_view import SiteView
from anpr.console.board.stream_broadcast import StreamBroadcast
from anpr.console.board.triage import TriageRules, triage_rules
from anpr.console.console_parts import ConsoleParts
from anpr.console.console_service import ConsoleService
from anpr.console.http.app import application
from anpr.console.http.page_renderer import PageRenderer
from anpr.console.http.render import environment
from anpr.console.image_retention import sweep_images
from anpr.console.labels import ELSEWHERE, ON_THE_WAY, claim_due_words
from anpr.console.local_time import weekday_time_in
from anpr.console.status.current_status import CurrentStatus
from anpr.console.status.fresh_status import FreshStatus
from anpr.console.vehicle.console_look_ups import AskSites, ConsoleLookUps
from anpr.contracts.events import Alert
from anpr.kafka.interfaces import Producer
from anpr.runtime.cautious_clock import CautiousClock
from anpr.runtime.clock import Clock
from anpr.runtime.durations import in_words
from anpr.runtime.images import ImageStore
from anpr.runtime.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleServers:
    """The servers and files behind a console: the real ones, or their twins in memory for tests.

    Attributes:
        open_tail: Opens topics at a broker, to be read.
        open_producer: Connects to the site's broker, to write.
        lists: Reports which entries have ended or changed.
        open_canary: Makes the sender of the site's canary, which needs the board's feed; None for a site without.
        open_redis: Connects to the site's Redis, for sessions and the limit on sign-ins.
        users: Who may sign in.
        audit_chain: Where this console records what people do.
        audit_folder: Where the chains of its site on this machine are.
        images: The images of plates.
        ask_sites: Asks the histories of the sites where a vehicle was.
        govuk: The folder of GOV.UK Frontend; None without it.
    """

    open_tail: OpenTail
    open_producer: Callable[[], Producer]
    lists: ListSource
    open_canary: Callable[[BoardFeed], CanarySender | None]
    open_redis: Callable[[], redis.asyncio.Redis]
    users: UsersFile
    audit_chain: AuditChain
    audit_folder: Path
    images: ImageStore
    ask_sites: AskSites
    govuk: Path | None


@dataclass(frozen=True, slots=True)
class Console:
    """A console that is ready to be served: its web application, its pages' parts, and what runs behind them."""

    application: ASGIApp
    parts: ConsoleParts
    service: ConsoleService


def build_console(
    settings: Settings,
    site: str,
    servers: ConsoleServers,
    clock: Clock,
    stopwatch: Callable[[], float] = time.monotonic,
) -> Console:
    """Build the console of a site. Raises UnavailableError or InputError when a file cannot be used."""
    inputs = _ConsoleInputs(settings, site, servers, clock, stopwatch)
    accounts = _accounts(inputs)
    live = _live_board(inputs, accounts)
    parts = _parts(inputs, live, accounts)
    service = _service(inputs, live, accounts)
    return Console(application(parts, service, site, servers.govuk), parts, service)


@dataclass(frozen=True, slots=True)
class _ConsoleInputs:
    """The settings, the site, the servers, the clock and the stopwatch from which a console is built."""

    settings: Settings
    site: str
    servers: ConsoleServers
    clock: Clock
    stopwatch: Callable[[], float]


@dataclass(frozen=True, slots=True)
class _LiveBoard:
    """The board's thread, and the parts that it keeps up to date."""

    feed: BoardFeed
    thread: BoardThread
    pages: dict[bool, BoardPage]
    publisher: PagePublisher
    broadcast: StreamBroadcast
    current_status: CurrentStatus
    templates: jinja2.Environment
    rules: TriageRules


@dataclass(frozen=True, slots=True)
class _Accounts:
    """The sessions and sign-ins in the site's Redis."""

    sessions: Sessions
    signed_in: SignedInUsers
    sign_in_limit: SharedSignInLimit


def _live_board(inputs: _ConsoleInputs, accounts: _Accounts) -> _LiveBoard:
    settings, site, servers, clock = inputs.settings, inputs.site, inputs.servers, inputs.clock
    feed = BoardFeed(settings, servers.open_tail, servers.lists, clock, with_covert=True)
    rules = triage_rules(settings, site)
    templates = _templates(settings, site, servers.govuk)
    pages = _board_pages(settings, rules, templates, feed)
    current_status = CurrentStatus(settings, site, weekday_time_in(settings.sites[site].zone))
    broadcast = StreamBroadcast(
        lambda: heartbeat_event(clock(), thread.seconds_since_tick(), current_status.last_read_at)
    )
    publisher = PagePublisher(pages, current_status, broadcast, lambda: accounts.signed_in.names)
    thread = BoardThread(feed, publisher.tick, clock)
    return _LiveBoard(feed, thread, pages, publisher, broadcast, current_status, templates, rules)


def _accounts(inputs: _ConsoleInputs) -> _Accounts:
    lifetime = timedelta(hours=inputs.settings.console.session_hours)
    sessions = Sessions(inputs.servers.open_redis(), lifetime, inputs.clock, stopwatch=inputs.stopwatch)
    signed_in = SignedInUsers(inputs.site, inputs.servers.users, sessions)
    return _Accounts(sessions, signed_in, SharedSignInLimit(inputs.servers.open_redis()))


def _parts(inputs: _ConsoleInputs, live: _LiveBoard, accounts: _Accounts) -> ConsoleParts:
    site, servers, clock = inputs.site, inputs.servers, inputs.clock
    board = BoardAccess(live.thread, live.pages, clock)
    view = SiteView(
        inputs.settings.sites,
        live.rules,
        clock,
        lambda: accounts.signed_in.names,
        lambda: live.current_status.watched_until,
    )

    def load_image(alert: Alert) -> bytes | None:
        read = alert.read
        return servers.images.get(read.image, read.site, clock()) if read.image is not None else None

    audit = AuditTrail(servers.audit_chain, servers.audit_folder, live.thread, clock)
    return ConsoleParts(
        view=view,
        board=board,
        actions=ActionSubmitter(view, board, audit, ActionProducer(servers.open_producer), servers.users, clock),
        audit=audit,
        vehicles=ConsoleLookUps(
            site,
            ports=inputs.settings.sites_to_ask,
            zones=inputs.settings.zones,
            ask_sites=servers.ask_sites,
            audit=audit,
            stay_gap=timedelta(minutes=inputs.settings.board.stay_gap_minutes),
            clock=clock,
        ),
        images=servers.images,
        clock=clock,
        load_image=load_image,
        status=FreshStatus(live.thread, live.current_status),
        auth=Authentication(site, servers.users, accounts.sessions),
        sign_in=SignInService(
            site,
            users=servers.users,
            sessions=accounts.sessions,
            limit=accounts.sign_in_limit,
            audit_chain=servers.audit_chain,
            failed_sign_ins=FailedSignInLog(servers.audit_chain, servers.users, clock),
        ),
        broadcast=live.broadcast,
        renderer=PageRenderer(live.templates, board, live.current_status, accounts.sessions, clock),
    )


def _service(inputs: _ConsoleInputs, live: _LiveBoard, accounts: _Accounts) -> ConsoleService:
    async def close() -> None:
        await accounts.sessions.close()
        await accounts.sign_in_limit.close()
        inputs.servers.audit_chain.close()

    return ConsoleService(
        live.thread,
        live.publisher,
        live.broadcast,
        background_tasks=(
            partial(sweep_images, inputs.servers.images, CautiousClock(inputs.clock)),
            live.broadcast.send_heartbeats,
            accounts.sessions.refresh_forever,
            accounts.signed_in.refresh_forever,
        ),
        canary=inputs.servers.open_canary(live.feed),
        audit_upkeep=_audit_upkeep(inputs),
        close=close,
    )


def _audit_upkeep(inputs: _ConsoleInputs) -> AuditUpkeep:
    site, servers, folder = inputs.site, inputs.servers, inputs.servers.audit_folder
    others = {name: other.kafka for name, other in inputs.settings.sites.items() if name != site}
    return AuditUpkeep(
        HeadPublisher(site, folder, servers.open_producer, inputs.clock),
        HeadKeeper(folder, others, servers.open_tail),
        Expiry(folder, servers.audit_chain, inputs.settings.retention.audit_days, CautiousClock(inputs.clock)),
    )


def _templates(settings: Settings, site: str, govuk: Path | None) -> jinja2.Environment:
    site_settings = settings.sites[site]
    templates = environment(govuk, site_settings.zone, settings.zones)
    has_arrivals = any(route.by != "road" for route in routes_to(site, settings.routes).values())
    has_cameras = bool(site_settings.cameras)
    templates.globals |= {
        "site": site,
        "site_title": site_settings.title,
        "time_zone": site_settings.time_zone,
        "has_cameras": has_cameras,
        "elsewhere": ON_THE_WAY if has_arrivals or not has_cameras else ELSEWHERE,
        "sites": settings.sites,
        "sites_to_ask": settings.sites_to_ask,
        "ack_due_words": in_words(timedelta(seconds=settings.console.ack_due_seconds)),
        "claim_due_words": claim_due_words(settings.console),
        "canary_every_seconds": settings.console.canary_every_seconds,
    }
    return templates


def _board_pages(
    settings: Settings, rules: TriageRules, templates: jinja2.Environment, feed: BoardFeed
) -> dict[bool, BoardPage]:
    """Return the page of each audience: under True the page with covert incidents."""
    start_id = secrets.token_hex(4)
    template = templates.get_template("card.html")
    return {
        covert: BoardPage(board, rules, CardRenderer(template, settings.sites, rules), ChangeStream(start_id))
        for covert, board in ((False, feed.board), (True, feed.whole_board or feed.board))
    }
