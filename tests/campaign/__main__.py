"""`python -m tests.campaign --faults 1000`: injects faults into a whole system and says whether anything was lost."""

import logging
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import click

from anpr.local.kafka_server import KafkaServer
from anpr.local.server import ServerUnavailableError
from anpr.local.valkey_server import ValkeyServer
from tests.campaign.campaign import Campaign, Report, run
from tests.support.installation import PORTS, Installation
from tests.support.servers import OwnServers

EPILOG = """\b
Examples:
  python -m tests.campaign --faults 20
  python -m tests.campaign --faults 1000 --seed 7
  python -m tests.campaign --faults 1000 --seed 7 --dry-run
"""


@click.command(epilog=EPILOG, context_settings={"show_default": True})
@click.option("--faults", default=100, type=click.IntRange(1), help="How many faults are injected.")
@click.option("--seed", type=int, help="Repeats the faults of an earlier campaign.  [default: a new one]")
@click.option("--every", default=1.5, type=click.FloatRange(0.1), help="One fault in so many seconds.")
@click.option("--reads-per-second", default=60.0, type=click.FloatRange(1), help="At all ports together.")
@click.option("--dry-run", is_flag=True, help="Only print the faults.")
def main(faults: int, seed: int | None, every: float, reads_per_second: float, dry_run: bool) -> None:
    """Inject faults into services on a Kafka and a Redis of their own, and compare their alerts with the dry run.

    Vehicles pass at three ports and the list changes, while processes are killed or stopped, disks are full, clocks
    are set, Redis loses everything, topics get partitions and garbage. In the end every alert of the dry run must be
    on the topics and on the boards, and no other; history must hold every read once.

    Ctrl-C ends the faults; what was done until then is judged.

    The exit code is 0 if nothing was lost, 1 if something was; then the logs are kept.
    """
    # Services that end and servers that do not answer are what a campaign is about.
    logging.disable(logging.WARNING)
    seed = random.SystemRandom().randrange(2**31) if seed is None else seed
    campaign = Campaign(seed, faults, every, PORTS, reads_per_second)
    click.echo(f"seed {seed}")
    if dry_run:
        for fault in campaign.schedule():
            click.echo(f"{fault.at_seconds:8.1f} s  {fault.number}/{faults}  {fault}")
        return
    folder = Path(tempfile.mkdtemp(prefix="anpr-campaign-"))
    report = _run(campaign, folder)
    click.echo(report)
    if not report.verdict.is_clean:
        click.echo(f"`--seed {seed}` repeats the faults; the logs are in {folder}")
        sys.exit(1)
    shutil.rmtree(folder)


def _run(campaign: Campaign, folder: Path) -> Report:
    with ExitStack() as opened:
        kafka, valkey = KafkaServer(folder / "kafka"), ValkeyServer(folder / "redis")
        try:
            opened.enter_context(kafka)
            opened.enter_context(valkey)
        except ServerUnavailableError as error:
            raise click.ClickException(str(error)) from None
        (folder / "ports").mkdir()
        it = opened.enter_context(Installation(folder / "ports", kafka.bootstrap, valkey.url, suffix=""))
        it.create_topics()
        began = time.monotonic()
        click.echo(f"the servers run; about {campaign.faults * campaign.every_seconds / 60:.0f} min of faults follow")
        stop = threading.Event()
        signal.signal(signal.SIGINT, lambda *_: stop.set())
        report = run(campaign, it, OwnServers(kafka, valkey), click.echo, stop.is_set)
        click.echo(f"the whole campaign took {time.monotonic() - began:.0f} s")
        return report


if __name__ == "__main__":
    main()
