"""How fast alerts reach many browsers of one console, and whether each browser gets all of them.

    python -m benchmarks.console [--browsers 500] [--per-second 50] [--seconds 60] [--open 0] [--json]

Alerts of eighty vehicles in the lanes go straight to the alerts topic. So this measures the path from there: Kafka,
the fold, the gathering of up to 100 ms, the stream, the sockets. While many browsers follow one console, a single
browser follows another console of the same machine. The ratio of the two is what the many cost.
`--open` first puts so many incidents on the board, and also reports how long the page takes then.
"""

import asyncio
import bisect
import json
import os
import re
import time
import urllib.parse
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import click
import httpx

from anpr.board.rates import percentile
from anpr.console.board.stream_limit import MAX_OF_A_SESSION
from anpr.contracts import topics
from anpr.contracts.events import Alert, Entry, Generation, Read, encode
from anpr.kafka.producer import KafkaProducer
from anpr.local.demo import Demo
from anpr.local.processes import wait_until
from anpr.runtime.clock import system_clock
from benchmarks.alerts import exact_alert
from benchmarks.options import AMOUNT, COUNT, NONE_OR_MORE

SITE = "calais"
VEHICLES = 80
_EVENT = re.compile(rb"id: [0-9a-f]+-(\d+)\nevent: (changes|resync)\n")
_SEEN = re.compile(r'datetime="([^"]+)" data-ago')
_READS = re.compile(r'data-reads="(\d+)".*?visually-hidden">B\d{3}, <', re.DOTALL)
WARM = 30
# The most that a busy machine may take. An idle one needs a fraction of it.
LONGEST_SECONDS = 120


class Browser:
    """One connection to the stream. It notes when it had each state, and with `keeps_events` keeps all that came."""

    def __init__(self, *, keeps_events: bool = False) -> None:
        self.numbers: list[int] = []
        self.times: list[float] = []
        self.resyncs = 0
        self.has_received = asyncio.Event()
        self.kept = bytearray()
        self._keeps_events = keeps_events

    async def follow(self, url: str, cookie: str, after: str) -> None:
        """Read until cancelled."""
        address = urllib.parse.urlsplit(url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        writer.write(
            f"GET /board/stream?after={after} HTTP/1.1\r\nHost: {address.netloc}\r\nCookie: {cookie}\r\n\r\n".encode()
        )
        rest = b""
        try:
            while chunk := await reader.read(262_144):
                now = time.time()
                self.has_received.set()
                if self._keeps_events:
                    self.kept += chunk
                for found in _EVENT.finditer(rest + chunk):
                    self.resyncs += found[2] == b"resync"
                    number = int(found[1])
                    if not self.numbers or number > self.numbers[-1]:
                        self.numbers.append(number)
                        self.times.append(now)
                rest = chunk[-64:]
        finally:
            writer.close()

    def had_at(self, number: int) -> float | None:
        """Return when it had a state or a later one; None if it never did."""
        index = bisect.bisect_left(self.numbers, number)
        return self.times[index] if index < len(self.times) else None


def alert_of(number: int, plate: str) -> Alert:
    """Return one more alert of a vehicle, captured now."""
    now = system_clock()
    entry = Entry(
        entry_id=plate,
        revision=Generation(epoch=1, number=1),
        list="bench",
        plate=plate,
        priority=1 if plate.startswith("B") else 3,
        reason="Lorry reported stolen from a depot",
        instruction="Hold in the lane",
        valid_until=now.replace(year=now.year + 1),
    )
    read = Read(read_id=f"{plate}-{number}", site=SITE, plate=plate, camera="lane-1", lane="1", captured_at=now)
    return exact_alert(read, entry, now)


def publish(producer: KafkaProducer, alert: Alert) -> None:
    """Put an alert on its topic."""
    producer.produce(topics.alerts(SITE), alert.plate, encode(alert))


def sign_in(notes: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return, by the title of its site, each console's address and a cookie."""
    found = {}
    for title, url in re.findall(r"(\w+) +(http://[^/]+)/", "\n".join(notes)):
        if not wait_until(partial(answers, url), LONGEST_SECONDS):
            raise click.ClickException(f"the console of {title} does not answer at {url}")
        found[title] = (url, cookie_from(url, notes))
    return found


def cookie_from(url: str, notes: Sequence[str]) -> str:
    """Sign in at a console, and return the cookie of the session."""
    (password,) = re.findall(r"password of all is (\S+)", "\n".join(notes))
    form = {"name": "officer", "password": password}
    answer = httpx.post(f"{url}/sign-in", data=form, headers={"Origin": url}, timeout=30)
    if answer.status_code != 303:
        raise click.ClickException(f"nobody can sign in at {url}: {answer.status_code}")
    return str(answer.headers["set-cookie"].partition(";")[0])


def answers(url: str) -> bool:
    """Return whether a console answers."""
    try:
        return httpx.get(f"{url}/sign-in").status_code == 200
    except httpx.HTTPError:
        return False


def state_of(url: str, cookie: str) -> dict[str, Any]:
    """Return the whole state of the board, once the console has read back the topics."""
    while (answer := httpx.get(f"{url}/board/state", headers={"Cookie": cookie}, timeout=60)).status_code == 503:
        time.sleep(0.2)
    whole: dict[str, Any] = answer.json()
    return whole


def send_all(producer: KafkaProducer, per_second: int, seconds: float) -> int:
    """Publish alerts evenly for so long; return how many."""
    began = time.monotonic()
    sent = 0
    while (passed := time.monotonic() - began) < seconds:
        while sent < passed * per_second:
            publish(producer, alert_of(sent, f"B{sent % VEHICLES:03d}"))
            sent += 1
        producer.flush(0)
        time.sleep(0.002)
    producer.flush(10)
    return sent


def cpu_seconds(pid: int | None) -> float:
    """Return the CPU time of a process, as the kernel counts it."""
    times = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK")


def known(console: tuple[str, str]) -> int:
    """Return how many incidents are on the board of a console."""
    return int(state_of(*console)["set"]["head"]["known"])


def warm_up(consoles: Sequence[tuple[str, str]], producer: KafkaProducer) -> None:
    """Send some alerts: the first records wait until the client knows the topic and its partitions."""
    enough = known(consoles[0]) + WARM
    for number in range(WARM):
        publish(producer, alert_of(number, f"WARM{number}"))
    producer.flush(10)
    if not wait_until(lambda: all(known(console) >= enough for console in consoles), LONGEST_SECONDS):
        raise click.ClickException(
            f"not all of {WARM} alerts are on the boards: {[known(console) for console in consoles]}"
        )


def number_with(console: tuple[str, str], alerts: int) -> int:
    """Wait until the board shows so many alerts of the vehicles in the lanes; return the number of its state then."""
    shown, state = 0, dict[str, Any]()

    def all_are_there() -> bool:
        nonlocal shown, state
        state = state_of(*console)
        found = (_READS.search(card.get("html", "")) for card in state["set"].values())
        shown = sum(int(reads[1]) for reads in found if reads)
        return shown >= alerts

    if not wait_until(all_are_there, LONGEST_SECONDS):
        raise click.ClickException(f"only {shown} of {alerts} alerts are on the board of {console[0]}")
    return number_of(state["id"])


def number_of(state_id: str) -> int:
    """Return the number in the id of a state."""
    return int(state_id.rpartition("-")[2])


def have_all(browsers: Sequence[Browser], number: int) -> bool:
    """Wait until every browser has a state; return whether all do. The report counts those that do not."""
    return wait_until(lambda: all(browser.had_at(number) is not None for browser in browsers), LONGEST_SECONDS)


async def measure(  # noqa: PLR0913, PLR0917  what the command was given
    consoles: dict[str, tuple[str, str]],
    pid: int | None,
    cookies: Sequence[str],
    kafka: str,
    per_second: int,
    seconds: float,
) -> dict[str, object]:
    """Open a browser with each cookie, send the alerts, and compare what each browser got with what was sent."""
    url, cookie = console = consoles["Calais"]
    other_url, other_cookie = other = consoles["Coquelles"]
    producer = KafkaProducer(kafka)
    await asyncio.to_thread(warm_up, (console, other), producer)
    reference, alone, many = Browser(keeps_events=True), Browser(keeps_events=True), [Browser() for _ in cookies]
    after, other_after = str(state_of(url, cookie)["id"]), str(state_of(other_url, other_cookie)["id"])
    followed = zip((reference, *many), (cookie, *cookies), strict=True)
    tasks = [asyncio.create_task(browser.follow(url, its_cookie, after)) for browser, its_cookie in followed]
    tasks.append(asyncio.create_task(alone.follow(other_url, other_cookie, other_after)))
    for browser in (reference, alone, *many):
        await browser.has_received.wait()
    began, cpu_began = time.monotonic(), cpu_seconds(pid)
    sent = await asyncio.to_thread(send_all, producer, per_second, seconds)
    for followed_console, browsers in ((console, [reference, *many]), (other, [alone])):
        await asyncio.to_thread(have_all, browsers, await asyncio.to_thread(number_with, followed_console, sent))
    cpu = cpu_seconds(pid) - cpu_began
    cpu_share = cpu / (time.monotonic() - began)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    if not reference.numbers or not alone.numbers:
        raise click.ClickException(f"nothing has come to a browser within {LONGEST_SECONDS} s")
    seen = seen_in(bytes(reference.kept))
    late = [
        had - moment for browser in many for number, moment in seen if (had := browser.had_at(number)) is not None
    ]
    lone = [
        had - moment for number, moment in seen_in(bytes(alone.kept)) if (had := alone.had_at(number)) is not None
    ]
    return {
        "browsers": len(many),
        "alerts": sent,
        "captures_seen": len(seen),
        "states": max(reference.numbers) - number_of(after),
        "browsers_with_all": sum(
            not browser.resyncs and browser.had_at(max(reference.numbers)) is not None for browser in many
        ),
        "events_a_browser": round(sum(len(browser.numbers) for browser in many) / max(1, len(many))),
        "console_cpu_percent": round(100 * cpu_share),
        "console_cpu_us_an_event_sent": round(cpu * 1e6 / max(1, sum(len(browser.numbers) for browser in many))),
        "bytes_a_browser": len(reference.kept),
        "capture_to_browser_ms": in_ms(late),
        "alone_at_another_console_ms": in_ms(lone),
    }


def seen_in(stream: bytes) -> list[tuple[int, float]]:
    """Return each capture that events showed, with the number of the first state that showed it."""
    found: list[tuple[int, float]] = []
    shown: dict[str, str] = {}
    for event in re.sub(rb"\r\n[0-9a-f]+\r\n", b"", stream).split(b"\n\n"):  # without the chunk sizes of HTTP
        identity = _EVENT.search(event)
        if identity is None:
            continue
        changes = json.loads(event.partition(b"\ndata: ")[2])
        for name, card in changes.get("set", {}).items():
            moment = _SEEN.search(card.get("html", ""))
            if moment and shown.get(name) != moment[1]:
                shown[name] = moment[1]
                found.append((int(identity[1]), time_of(moment[1])))
    return found


def time_of(text: str) -> float:
    """Return a moment of the pages as a number of seconds."""
    return datetime.fromisoformat(text).timestamp()


def in_ms(seconds: Sequence[float]) -> dict[str, float]:
    """Return percentiles in milliseconds."""
    shares = {"p50": 0.5, "p99": 0.99, "max": 1.0}
    return {name: round((percentile(seconds, share) or 0) * 1000, 1) for name, share in shares.items()}


def page_with(consoles: dict[str, tuple[str, str]], kafka: str, count: int) -> dict[str, object]:
    """Put so many incidents on the board, and return how long the page takes then."""
    url, cookie = consoles["Calais"]
    producer = KafkaProducer(kafka, linger_ms=20)
    began = time.monotonic()
    for number in range(count):
        publish(producer, alert_of(0, f"X{number:05d}"))
    producer.flush(60)
    if not wait_until(lambda: known((url, cookie)) >= count, LONGEST_SECONDS):
        raise click.ClickException(f"only {known((url, cookie))} of {count} incidents are on the board")
    on_board = time.monotonic() - began
    pages = []
    for _ in range(20):
        began = time.monotonic()
        size = len(httpx.get(f"{url}/", headers={"Cookie": cookie}, timeout=60).content)
        pages.append(time.monotonic() - began)
    return {"open": count, "on_board_seconds": round(on_board, 1), "page_ms": in_ms(pages), "page_bytes": size}


@click.command()
@click.option("--browsers", type=COUNT, default=500, show_default=True)
@click.option("--per-second", type=COUNT, default=50, show_default=True, help="Alerts a second.")
@click.option("--seconds", type=AMOUNT, default=60.0, show_default=True)
@click.option(
    "--open", "open_incidents", type=NONE_OR_MORE, default=0, show_default=True, help="Incidents on the board before."
)
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout, no words.")
def main(browsers: int, per_second: int, seconds: float, open_incidents: int, as_json: bool) -> None:  # noqa: FBT001
    """Measure the stream of one console with many browsers."""
    with Demo(Path("config"), Path("config/example_watchlist.csv"), lambda text: click.echo(text, err=True)) as demo:
        notes = demo.start_consoles()
        consoles = sign_in(notes)
        url, _ = consoles["Calais"]
        sessions = [cookie_from(url, notes) for _ in range(0, browsers, MAX_OF_A_SESSION)]
        cookies = [sessions[number // MAX_OF_A_SESSION] for number in range(browsers)]
        result: dict[str, object] = {}
        if open_incidents:
            result["page"] = page_with(consoles, demo.kafka, open_incidents)
        result |= asyncio.run(
            measure(consoles, demo.supervisor.pid("console-calais"), cookies, demo.kafka, per_second, seconds)
        )
    click.echo(json.dumps(result, indent=None if as_json else 2))


if __name__ == "__main__":
    main()
