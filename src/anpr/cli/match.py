"""`anpr match`: one matcher process of a site."""

import gc
import socket
import threading
from datetime import timedelta

import click

from anpr.cli import check_site, settings_of
from anpr.cli.health_option import ANSWER_SECONDS, metrics_port, served
from anpr.contracts import topics
from anpr.index_store.folder import IndexFolder
from anpr.index_store.follower import IndexFollower
from anpr.kafka.broker_errors import refused
from anpr.kafka.clients import KafkaConsumer, KafkaProducer
from anpr.kafka.interfaces import RejectedError
from anpr.kafka.rejections import AGAIN_SECONDS, Rejections
from anpr.matcher.matcher import Matcher
from anpr.matcher.matcher_metrics import MatcherMetrics
from anpr.runtime.clock import system_clock
from anpr.runtime.health import Health
from anpr.runtime.logs import bind_service, get_logger
from anpr.runtime.settings import Settings
from anpr.runtime.shutdown import on_stop

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
    on_stop(stop.set)
    bind_service(service="match", site=site, name=name)
    follower = IndexFollower(IndexFolder(settings.index_dir), f"anpr index --site {site}")
    one = _Matching(settings, site, name, follower, stop)
    follower.start()
    # Nearly all garbage is freed by reference counts; what is left (exceptions make some) is collected rarely, for a
    # collection adds to the tail of the latency. The list is not looked through again.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    log.info("matcher runs")
    try:
        with served(settings, one.health, port):
            one.run()
    finally:
        follower.stop()
    log.info("matcher stopped in order")


class _Matching:
    """A matcher that is opened anew whenever the broker has refused something."""

    def __init__(
        self, settings: Settings, site: str, name: str, follower: IndexFollower, stop: threading.Event
    ) -> None:
        self.health = Health("match", self._missing)
        self._settings = settings
        self._site = site
        self._name = name
        self._follower = follower
        self._stop = stop
        self._servers = settings.sites[site]
        self._refusals = Rejections(f"the broker at {self._servers.kafka} refuses this matcher")
        self._figures = MatcherMetrics(site, [camera.name for camera in self._servers.cameras], system_clock())
        self._producer = KafkaProducer(self._servers.kafka)

    def run(self) -> None:
        """Match until it is time to stop. Raises UnavailableError when another matcher has this one's name."""
        while not self._stop.is_set():
            try:
                self._run_once()
            except RejectedError as error:
                if error.code == "kafka-fenced" or self._stop.is_set():
                    raise refused(f"the broker at {self._servers.kafka} has ended this matcher", error) from None
                self._refusals.note(error)
                self._figures.partitions = 0
                self._producer = KafkaProducer(self._servers.kafka)
            self._stop.wait(AGAIN_SECONDS)

    def _run_once(self) -> None:
        """Match from what is committed, until it is time to stop. Raises RejectedError."""
        consumer = KafkaConsumer(
            self._servers.kafka,
            topics.reads(self._site),
            f"anpr-match-{self._site}",
            self._name,
            self._settings.matcher.session_timeout_seconds,
        )
        try:
            Matcher(
                site=self._site,
                name=self._name,
                consumer=consumer,
                producer=self._producer,
                held=lambda: self._follower.held,
                clock=system_clock,
                stopping=self._stop.is_set,
                figures=self._figures,
                beat=self.health.heartbeat,
                is_well=self._refusals.over,
                batch_reads=self._settings.matcher.batch_reads,
                late_after=timedelta(seconds=self._settings.matcher.late_after_seconds),
            ).run()
        finally:
            consumer.close()

    def _missing(self) -> list[str]:
        if refusals := self._refusals.missing():
            return refusals
        found = []
        if self._follower.held is None:
            builds = (
                "is its builder at work?"
                if self._follower.is_builder_running
                else f"start `anpr index --site {self._site}`"
            )
            found.append(f"no list: there is no usable index in {self._settings.index_dir}; {builds}")
        # As the loop last told it: the consumer itself may not be asked from another thread.
        if not self._figures.partitions:
            found.append("no share of the cameras: it stands by")
        if trouble := self._producer.problem(topics.alerts(self._site), ANSWER_SECONDS):
            found.append(f"the broker at {self._servers.kafka} {trouble}")
        return found
