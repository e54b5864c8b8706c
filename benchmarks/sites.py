"""How long a look-up takes when five sites are asked at the same time, over TLS, from the question to all answers.

    python -m benchmarks.sites [--sightings 20000] [--days 3] [--look-ups 200] [--json]

Each site is a process of its own on this machine, with its own sightings and its own audit chain. It answers with
what `anpr history` answers with: the search, the misreads, the audit record on the disk. The sightings are reads of
the simulators.
"""

import asyncio
import json
import multiprocessing
import random
import sys
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from multiprocessing.synchronize import Event
from pathlib import Path

import click
import trustme

from anpr.audit.folders import open_chain
from anpr.board.rates import percentile
from anpr.contracts.look_up import LookUp
from anpr.history.api.sightings_server import SightingsServer
from anpr.history.look_up import HistoryLookUp
from anpr.history.recorder import BATCH_RECORDS, Recorder
from anpr.history.sighting import sightings_of
from anpr.history.stores import open_all
from anpr.local.free_ports import free_ports
from anpr.look_up.ask_sites import ask_sites
from anpr.look_up.site_reply import SiteReply
from anpr.runtime.clock import system_clock
from anpr.runtime.settings import HistorySettings, Settings, Site, WatchlistSettings
from anpr.runtime.site_tokens import SiteTokensFile
from benchmarks.options import COUNT
from benchmarks.stored_reads import Topic, plates_of, simulated_lines

SITES = ("calais", "coquelles", "dunkerque", "dover", "folkestone")
ASKING = SITES[0]
# No limit is reached while we measure.
MANY = 1_000_000


def made_settings(folder: Path) -> Settings:
    """Return settings of five sites on this machine, with certificates and tokens made for this run."""
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(folder / "authority.pem")
    certificate.private_key_and_cert_chain_pem.write_to_path(folder / "certificate.pem")
    addresses = [f"https://127.0.0.1:{port}" for port in free_ports(len(SITES))]
    settings = Settings(
        sites={
            site: Site(site, kafka="", redis="", history=address)
            for site, address in zip(SITES, addresses, strict=True)
        },
        watchlist=WatchlistSettings(state_dir=str(folder)),
        history=HistorySettings(
            certificate=str(folder / "certificate.pem"),
            authority=str(folder / "authority.pem"),
            tokens_file=str(folder / "tokens.json"),
            answer_within_seconds=60,
            officer_look_ups_per_minute=MANY,
            site_look_ups_per_minute=MANY,
        ),
    )
    tokens = SiteTokensFile(settings.tokens_file)
    for site in SITES:
        tokens.hold(tokens.make(ASKING, site, system_clock()))
    return settings


def run_site(  # noqa: PLR0913, PLR0917  a process gets its arguments one by one
    settings: Settings, site: str, lines: list[bytes], count: int, days: int, is_ready: Event, is_over: Event
) -> None:
    """Store the sightings of a site, then answer until it is over."""
    topic = Topic(lines, count, days)
    with (
        closing(open_chain(settings, site, "history", system_clock)) as audit,
        closing(open_all(settings, site)) as kept,
    ):
        recorder = Recorder(topic, kept.sightings, partial(sightings_of, site))
        while topic.lag():
            recorder.run_once(0)
        with SightingsServer(settings, site, HistoryLookUp(site, kept), audit):
            is_ready.set()
            is_over.wait()


async def ask(settings: Settings, plates: list[str]) -> tuple[list[float], int]:
    """Look each plate up at all sites. Return how long each took, in milliseconds, and how many sightings came."""
    times, found = [], 0
    for plate in plates:
        now = datetime.now(UTC)
        look_up = LookUp(
            plate=plate,
            since=now - timedelta(days=30),
            until=now + timedelta(days=1),
            reason="benchmark",
            user="benchmark",
            role="officer",
            asking_site=ASKING,
        )
        started_at = time.perf_counter()
        replies = await ask_sites(settings, look_up, sites=SITES)
        times.append((time.perf_counter() - started_at) * 1000)
        found += sum(map(found_by, replies))
    return times, found


def found_by(reply: SiteReply) -> int:
    """Return how many sightings a site found. Ends the benchmark if it gave no answer."""
    if reply.answer is None:
        sys.exit(f"{reply.site}: {reply.problem}")
    return len(reply.answer.sightings)


def measure(folder: Path, count: int, days: int, look_ups: int) -> dict[str, float]:
    """Start the sites, ask them, and return how long that took."""
    lines, settings = simulated_lines(folder), made_settings(folder)
    spawning = multiprocessing.get_context("spawn")
    is_over, ready = spawning.Event(), [spawning.Event() for _ in SITES]
    processes = [
        spawning.Process(target=run_site, args=(settings, site, lines, count, days, is_ready, is_over), daemon=True)
        for site, is_ready in zip(SITES, ready, strict=True)
    ]
    for process in processes:
        process.start()
    try:
        for is_ready in ready:
            is_ready.wait()
        plates = random.choices(plates_of(lines), k=look_ups)
        times, found = asyncio.run(ask(settings, plates))
    finally:
        is_over.set()
        for process in processes:
            process.join()
    return {
        "sites": len(SITES),
        "sightings_a_site": count,
        "found_a_look_up": round(found / look_ups, 1),
        "whole_answer_p50_ms": round(percentile(times, 0.5) or 0, 1),
        "whole_answer_p99_ms": round(percentile(times, 0.99) or 0, 1),
    }


@click.command()
@click.option("--sightings", type=click.IntRange(min=BATCH_RECORDS), default=20_000, show_default=True)
@click.option("--days", type=COUNT, default=3, show_default=True, help="Over how many days they arrived.")
@click.option("--look-ups", type=COUNT, default=200, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def main(sightings: int, days: int, look_ups: int, *, as_json: bool) -> None:
    """Measure a look-up at five sites."""
    with tempfile.TemporaryDirectory(prefix="anpr-sites-") as folder:
        measured = measure(Path(folder), sightings, days, look_ups)
    if as_json:
        print(json.dumps(measured))
    else:
        for name, value in measured.items():
            print(f"{name:20} {value}")


if __name__ == "__main__":
    main()
