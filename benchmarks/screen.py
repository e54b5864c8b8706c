"""How long a vehicle takes from the camera to the officer's screen, and what a full board costs the browser.

    python -m benchmarks.screen [--reads 100] [--per-second 4] [--open 0] [--json]

It runs a real Kafka, a matcher, a console and Chromium. Each read is of another listed vehicle, so each makes a new
card. The page notes by the machine's clock when the event came, when its card was in the document, and when the
browser had drawn the frame with it. The alert says when it was raised. So each part of the path has its time:

    capture → raised     camera, Kafka, matcher
    raised → event       Kafka, the console's fold, its gathering of up to 100 ms, the stream
    event → document     the page's script
    document → drawn     the browser

`--open` first puts so many incidents on the board, and reports what the page costs then.
"""

import json
import shutil
import tempfile
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

import click
from playwright.sync_api import Page, sync_playwright
from playwright.sync_api import TimeoutError as NotInTimeError

from anpr.contracts import topics
from anpr.contracts.events import Alert, Read, decode_alert_record, encode
from anpr.kafka.producer import KafkaProducer
from anpr.kafka.tail import KafkaTail
from anpr.local.demo import Demo
from anpr.local.processes import wait_until
from anpr.runtime.clock import system_clock
from benchmarks.console import SITE, alert_of, in_ms, known, publish, sign_in
from benchmarks.missing import few
from benchmarks.options import AMOUNT, COUNT, NONE_OR_MORE

# Runs in the page before its own scripts. It notes for each incident when its first event came, when its card was in
# the document, and when it was drawn.
WATCH = """
window.seen = {event: {}, document: {}, drawn: {}};
const first = (what, name) => { window.seen[what][name] ??= Date.now() };
const add = EventSource.prototype.addEventListener;
EventSource.prototype.addEventListener = function (kind, listener) {
  add.call(this, kind, kind !== "changes" ? listener : (event) => {
    for (const name of Object.keys(JSON.parse(event.data).set)) first("event", name);
    listener(event);
  });
};
new MutationObserver((changes) => {
  for (const {addedNodes} of changes) for (const {id, textContent} of addedNodes) {
    const name = id?.startsWith("card-") && /SC\\d\\dABC/.test(textContent) && id.slice(5);
    if (!name || window.seen.document[name]) continue;
    first("document", name);
    requestAnimationFrame(() => setTimeout(() => first("drawn", name)));  // after the frame that shows it
  }
}).observe(document, {childList: true, subtree: true});
"""


def send(producer: KafkaProducer, plates: list[str], per_second: float) -> None:
    """Send a read of each plate, at an even pace."""
    began = time.monotonic()
    for number, plate in enumerate(plates):
        while (ahead := began + number / per_second - time.monotonic()) > 0:
            producer.flush(0)
            time.sleep(min(ahead, 0.01))
        read = Read(
            read_id=f"{plate}-1", site=SITE, plate=plate, camera="lane-1", lane="1", captured_at=system_clock()
        )
        producer.produce(topics.reads(SITE), read.camera, encode(read))
    producer.flush(10)


def alerts_of(kafka: str, plates: set[str]) -> dict[str, Alert]:
    """Return the alerts of these plates by their id, which is their incident's: each is the first of its vehicle."""
    tail, found = KafkaTail(kafka, [topics.alerts(SITE)]), dict[str, Alert]()

    def all_there() -> bool:
        for record in tail.poll(0.1):
            fact = decode_alert_record(record.value or b"")
            if isinstance(fact, Alert) and fact.plate in plates:
                found[fact.alert_id] = fact
        return len(found) == len(plates)

    if not wait_until(all_there, 120):
        unseen = plates - {alert.plate for alert in found.values()}
        raise click.ClickException(few("alerts are missing of the plates", sorted(unseen)))
    tail.close()
    return found


def parts_of(alerts: dict[str, Alert], seen: dict[str, dict[str, int]]) -> dict[str, object]:
    """Return how long each part of the path took."""
    moments = [
        {
            "capture": alert.captured_at.timestamp(),
            "raised": alert.raised_at.timestamp(),
            **{what: seen[what][name] / 1000 for what in ("event", "document", "drawn")},
        }
        for name, alert in alerts.items()
    ]
    parts = [("capture", "raised"), ("raised", "event"), ("event", "document"), ("document", "drawn")]
    parts += [("capture", "event"), ("capture", "drawn")]
    return {
        f"{start}_to_{end}_ms": in_ms([of_alert[end] - of_alert[start] for of_alert in moments])
        for start, end in parts
    }


def page_costs(page: Page) -> dict[str, object]:
    """Return what loading the board cost the browser, as it reports itself."""
    page.reload()
    page.wait_for_load_state("load")
    costs: dict[str, Any] = page.evaluate(
        """() => new Promise((done) => requestAnimationFrame(() => setTimeout(() => {
          const [navigation] = performance.getEntriesByType("navigation");
          const painted = performance.getEntriesByName("first-contentful-paint")[0];
          done({page_bytes: navigation.decodedBodySize, first_byte_ms: navigation.responseStart,
                painted_ms: painted?.startTime, loaded_ms: navigation.loadEventEnd,
                cards: document.querySelectorAll(".cards > li").length});
        })))"""
    )
    return {name: value if value is None else round(value) for name, value in costs.items()}


def fill_board(consoles: dict[str, tuple[str, str]], kafka: str, count: int) -> None:
    """Put so many incidents on the board: their alerts go straight to the topic."""
    producer = KafkaProducer(kafka, linger_ms=20)
    for number in range(count):
        publish(producer, alert_of(0, f"X{number:05d}"))
    producer.flush(60)
    if not wait_until(lambda: known(consoles["Calais"]) >= count, 180):
        raise click.ClickException(f"only {known(consoles['Calais'])} of {count} incidents are on the board")


def look(
    consoles: dict[str, tuple[str, str]], kafka: str, plates: list[str], per_second: float, chromium: str
) -> tuple[dict[str, Any], dict[str, object]]:
    """Send a vehicle with each plate past an open page; return what the page saw, and what it costs to load."""
    url, cookie = consoles["Calais"]
    name, _, value = cookie.partition("=")
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"]) as browser,
    ):
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        context.add_cookies([{"name": name, "value": value, "url": url}])
        context.add_init_script(WATCH)
        page = context.new_page()
        page.goto(url)
        costs = page_costs(page)
        producer = KafkaProducer(kafka)
        send(producer, [f"WARM{number}" for number in range(20)], 20)  # opens the connections and warms the code
        sending = threading.Thread(target=send, args=(producer, plates, per_second))
        sending.start()
        # A full board draws only its most urgent incidents, so these plates have the highest priority.
        enough = "count => Object.keys(seen.drawn).length >= count"
        try:
            page.wait_for_function(enough, arg=len(plates), timeout=120_000 + len(plates) / per_second * 1000)
        except NotInTimeError:
            drawn = page.evaluate("Object.keys(seen.drawn).length")
            raise click.ClickException(f"only {drawn} of {len(plates)} vehicles were drawn") from None
        sending.join()
        seen: dict[str, Any] = page.evaluate("seen")
    return seen, costs


@click.command()
@click.option("--reads", type=COUNT, default=100, show_default=True, help="Vehicles that come by.")
@click.option("--per-second", type=AMOUNT, default=4.0, show_default=True, help="How many of them a second.")
@click.option(
    "--open", "open_incidents", type=NONE_OR_MORE, default=0, show_default=True, help="Incidents on the board before."
)
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout, no words.")
def main(reads: int, per_second: float, open_incidents: int, as_json: bool) -> None:  # noqa: FBT001
    """Measure the path from the camera to the screen."""
    chromium = shutil.which("chromium")
    if chromium is None:
        raise click.ClickException("there is no chromium here (Debian: apt-get install chromium)")
    # A section draws at most a hundred cards, and every vehicle must be seen.
    plates = [f"SC{number:02d}ABC" for number in range(min(reads, 100))]
    with tempfile.TemporaryDirectory() as folder:
        watchlist = Path(folder) / "list.csv"
        lines = ["entry_id,plate,priority,valid_until", *(f"{plate},{plate},1,2099-01-01" for plate in plates)]
        watchlist.write_text("\n".join(lines) + "\n", "utf-8")
        with Demo(Path("config"), watchlist, partial(click.echo, err=True)) as demo:
            demo.start_matchers(demo.open_feed())
            consoles = sign_in(demo.start_consoles())
            fill_board(consoles, demo.kafka, open_incidents)
            seen, costs = look(consoles, demo.kafka, plates, per_second, chromium)
            parts = parts_of(alerts_of(demo.kafka, set(plates)), seen)
    result = {"reads": len(plates), "open": open_incidents, "page": costs, **parts}
    click.echo(json.dumps(result, indent=None if as_json else 2))


if __name__ == "__main__":
    main()
