"""`anpr console`: the officers' pages of one site."""

from datetime import timedelta
from pathlib import Path
from types import FrameType

import click
import uvicorn
from starlette.types import ASGIApp

from anpr.audit.folders import open_chain, site_folder
from anpr.audit.older_log import take_over
from anpr.board.board_feed import BoardFeed
from anpr.board.canary_sender import CanarySender
from anpr.cli import check_site, settings_of
from anpr.cli.files import FILE_PATH
from anpr.cli.health_option import metrics_port, serve_health
from anpr.console.auth.sessions import connect_sessions
from anpr.console.auth.users_file import UsersFile
from anpr.console.bootstrap import Console, ConsoleServers, build_console
from anpr.console.console_service import ConsoleService
from anpr.kafka.producer import KafkaProducer
from anpr.kafka.tail import KafkaTail
from anpr.local import govuk_frontend
from anpr.look_up.ask_sites import ask_sites
from anpr.runtime.clock import system_clock
from anpr.runtime.errors import InputError
from anpr.runtime.health import Health
from anpr.runtime.http_connections import BoundedListener, ConnectionTable, bounded_server_config
from anpr.runtime.images import ImageStore
from anpr.runtime.listening import check_certificate, listen
from anpr.runtime.logs import bind_service, get_logger
from anpr.runtime.settings import LOOPBACK, Settings
from anpr.runtime.shutdown import on_stop
from anpr.watchlist.store.home import home_site, home_store, watchlist_reader

log = get_logger(__name__)


@click.command(name="console")
@click.option("--site", required=True, help="The site whose officers use it.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8443, show_default=True, help="The port to listen on.")
@click.option("--tls-cert", type=FILE_PATH, help="Certificate, PEM.")
@click.option("--tls-key", type=FILE_PATH, help="Its key, PEM.")
@metrics_port
@click.pass_context
def command(  # noqa: PLR0913, PLR0917  click hands over one argument for each option
    ctx: click.Context,
    site: str,
    host: str,
    port: int,
    tls_cert: Path | None,
    tls_key: Path | None,
    metrics_port: int | None,
) -> None:
    """Serve the officers' pages of a site.

    The console reads the topics of every site and writes only to the topics of its own site. Several consoles may run
    side by side. To listen beyond this machine it needs a certificate, or a proxy on this machine that speaks TLS.
    Ctrl-C ends it.

    \b
    Examples:
      anpr console --site calais
      anpr console --site dover --host 0.0.0.0 --tls-cert dover.pem --tls-key dover.key
    """
    settings = settings_of(ctx)
    check_site(settings, site)
    _check_tls(host, tls_cert, tls_key)
    listener = listen("the console", host, port)
    bind_service(service="console", site=site)
    console = open_console(settings, site)
    table = ConnectionTable(proxies=settings.console.trusted_proxies)
    server = _Server(_server_config(console.application, table, settings, tls_cert, tls_key), console.service)
    # Before and after the server's own handler, which is set while it serves.
    on_stop(lambda: setattr(server, "should_exit", True))
    click.echo(f"console of {site}: http{'s' if tls_cert else ''}://{host}:{port}/", err=True)
    with serve_health(settings, _health_of(console.service), metrics_port):
        server.run([BoundedListener(listener, table)])
    log.info("console stopped in order")


def _check_tls(host: str, cert: Path | None, key: Path | None) -> None:
    """Raise InputError when passwords would cross a network in clear, or the certificate cannot be used."""
    if host not in LOOPBACK and cert is None:
        raise InputError(
            "console-without-tls",
            f"passwords would cross the network to {host} in clear",
            "give --tls-cert and --tls-key, or listen on 127.0.0.1 behind a proxy that has them",
        )
    if cert is not None:
        check_certificate(cert, key)


def _server_config(
    application: ASGIApp, table: ConnectionTable, settings: Settings, cert: Path | None, key: Path | None
) -> uvicorn.Config:
    return bounded_server_config(
        application,
        table,
        settings.console.trusted_proxies,
        ssl_certfile=cert,
        ssl_keyfile=key,
        timeout_graceful_shutdown=5,
    )


def _health_of(service: ConsoleService) -> Health:
    """Return the health of the process: ready once the topics are read, alive while the board's thread ticks."""
    board_thread = service.board_thread

    def why_not_ready() -> list[str]:
        return [] if board_thread.has_read_all() else ["the topics are not read to their end yet"]

    health = Health("console", why_not_ready)
    board_thread.heartbeat = health.heartbeat
    return health


class _Server(uvicorn.Server):
    """A server that ends the event streams when it is asked to stop: by themselves they never end."""

    def __init__(self, config: uvicorn.Config, service: ConsoleService) -> None:
        super().__init__(config)
        self._service = service

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        self._service.end_streams()


def open_console(settings: Settings, site: str) -> Console:
    """Return the console of a site, on the real servers."""
    govuk = govuk_frontend.folder_if_there()
    if govuk is None:
        log.warning("GOV.UK Frontend is missing, pages are plain", fetch_it_with=govuk_frontend.COMMAND)
    site_settings = settings.sites[site]
    audit_chain = open_chain(settings, site, "console", system_clock)
    take_over(settings.state_dir / f"audit-{site}.jsonl", site_folder(settings, site), audit_chain)
    servers = ConsoleServers(
        open_tail=KafkaTail,
        open_producer=lambda: KafkaProducer(site_settings.kafka),
        lists=watchlist_reader(settings, site, may_be_away=True),
        open_canary=lambda feed: _canary(settings, site, feed),
        open_redis=lambda: connect_sessions(site_settings.redis),
        users=UsersFile(Path(settings.console.users_file).expanduser()),
        audit_chain=audit_chain,
        audit_folder=site_folder(settings, site),
        images=ImageStore(settings.images_dir, timedelta(hours=settings.images.images_retention_hours)),
        ask_sites=lambda look_up, ports, covert: ask_sites(settings, look_up, covert=covert, sites=ports),
        govuk=govuk,
    )
    return build_console(settings, site, servers, system_clock)


def _canary(settings: Settings, site: str, feed: BoardFeed) -> CanarySender | None:
    """Return the sender of the site's canary; a site without cameras has none."""
    site_settings = settings.sites[site]
    if not site_settings.cameras:
        return None
    return CanarySender(
        site,
        lambda: KafkaProducer(site_settings.kafka),
        home_store(settings, may_be_away=True) if site == home_site(settings) else None,
        last_returned=lambda: last.sent_at if (last := feed.site_monitor.canaries.get(site)) else None,
        every_seconds=settings.console.canary_every_seconds,
        due_seconds=settings.console.canary_due_seconds,
        clock=system_clock,
    )
