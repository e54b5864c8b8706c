"""`anpr match`: one matcher process of a site."""

import socket
import threading

import click

from anpr.cli import check_site, settings_of
from anpr.cli.health_option import metrics_port, serve_health
from anpr.matcher.environment import MatcherIdentity
from anpr.matcher.matcher_service import MatcherService
from anpr.runtime.logs import bind_service
from anpr.runtime.shutdown import on_stop


@click.command(name="match")
@click.option("--site", required=True, help="The site whose reads are matched.")
@click.option(
    "--name", help="A name that no other running matcher of the site has. Default: the site and this machine's name."
)
@metrics_port
@click.pass_context
def command(ctx: click.Context, site: str, name: str | None, metrics_port: int | None) -> None:
    """Match every read of a site against the watchlist.

    The matcher publishes an alert for each match. It uses the index that `anpr index` keeps on this machine. Start
    `anpr index` too: without an index nothing is matched.

    Several matchers can share a site if each has its own --name. A matcher that is killed and started again under the
    same name continues immediately where it stopped. To stop a matcher, send SIGTERM or press Ctrl-C: it finishes its
    batch first.

    \b
    Examples:
      anpr match --site calais
      anpr match --site calais --name calais-2 --metrics-port 9464
    """
    settings = settings_of(ctx)
    check_site(settings, site)
    identity = MatcherIdentity(site, name or f"{site}-{socket.gethostname()}")
    stop = threading.Event()
    on_stop(stop.set)
    bind_service(service="match", site=site, name=identity.name)
    service = MatcherService(settings, identity, stop)
    with serve_health(settings, service.health, metrics_port):
        service.run()
