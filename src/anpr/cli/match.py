"""`anpr match`: one matcher process of a site."""

import gc
import signal
import socket
import threading
from datetime import timedelta

import click
from confluent_kafka import KafkaException

from anpr import topics
from anpr.adapters.kafka import KafkaPublisher, KafkaSource
from anpr.adapters.kafka_errors import refused
from anpr.adapters.records import UndeliveredError
from anpr.cli import check_site, settings_of
from anpr.cli.health import ANSWER_SECONDS, metrics_port, served
from anpr.clock import system_clock
from anpr.logs import get_logger, say_of_each_line
from anpr.services.figures import Figures
from anpr.services.health import Health
from anpr.services.match import Matcher
from anpr.services.watchlist_follower import WatchlistFollower
from anpr.settings import Settings
from anpr.watchlist.index_folder import IndexFolder

log = get_logger(__name__)


@click.command(name="match")
@click.option("--site", required=True, help="The site whose reads are matched.")
@click.option("--name", help="A name that no other running matcher of the site has. Default: this machine's name.")
@metrics_port
@click.pass_context
def command(ctx: click.Context, site: str, name: str | None, metrics_port: int | None) -> None:
    """Check every read of a site against the watchlist and publish the alerts.

    The list is the index that `anpr index` keeps on this machine: start that too, or nothing is matched. Several
    processes share a site when each has a --name of its own. One that is killed and started again under the same
    name goes on at once where it stopped. Stop it with SIGTERM or Ctrl-C: it finishes its batch.

    \b
    Examples:
      anpr match --site calais
      anpr match --site calais --name calais-2 --metrics-port 9464
    """
    settings = settings_of(ctx)
    check_site(settings, site)
    run(settings, site, name or f"{site}-{socket.gethostname()}", metrics_port)


def run(settings: Settings, site: str, name: str, port: int | None) -> None:
    """Match until a signal says stop; `port` is where to serve health and metrics."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    say_of_each_line(service="match", site=site, name=name)
    servers = settings.sites[site]
    start_builder = f"anpr index --site {site}"
    follower = WatchlistFollower(IndexFolder(settings.index_dir), start_builder)
    source = KafkaSource(
        servers.kafka, topics.reads(site), f"anpr-match-{site}", name, settings.matcher.session_timeout_seconds
    )
    publisher = KafkaPublisher(servers.kafka)
    figures = Figures(site, [camera.name for camera in servers.cameras], system_clock())

    def missing() -> list[str]:
        builds = "is its builder at work?" if follower.is_builder_running else f"start `{start_builder}`"
        wanted = {
            f"no list: there is no usable index in {settings.index_dir}; {builds}": follower.held is not None,
            # As the loop last told it: the consumer itself may not be asked from another thread.
            "no share of the cameras: it stands by": figures.partitions > 0,
            f"the broker at {servers.kafka} does not answer": publisher.answers(topics.alerts(site), ANSWER_SECONDS),
        }
        return [what for what, there in wanted.items() if not there]

    health = Health("match", missing)
    matcher = Matcher(
        site=site,
        name=name,
        source=source,
        publisher=publisher,
        held=lambda: follower.held,
        clock=system_clock,
        stopping=stop.is_set,
        figures=figures,
        beat=health.beat,
        batch_reads=settings.matcher.batch_reads,
        late_after=timedelta(seconds=settings.matcher.late_after_seconds),
    )
    follower.start()
    # Nearly all garbage is freed by reference counts; what is left (exceptions make some) is collected rarely, for a
    # collection adds to the tail of the latency. The list is not looked through again.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    log.info("matcher runs")
    try:
        with served(settings, health, port):
            matcher.run()
    except (KafkaException, UndeliveredError) as error:
        raise refused(f"the broker at {servers.kafka} has ended this matcher", error) from None
    finally:
        source.close()
        follower.stop()
    log.info("matcher stopped in order")
