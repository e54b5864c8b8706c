"""Takes the pictures of the console's pages for docs/: the whole system with simulated traffic, and officers at work.

    python -m tests.support.screenshots docs/pictures

The seed gives the same vehicles each time; the times on the pages are those of the run.
"""

import io
import re
import sys
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import click
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from anpr.contracts import topics
from anpr.contracts.events import Read, encode
from anpr.kafka.producer import KafkaProducer
from anpr.local.demo import Demo
from anpr.local.processes import wait_until
from anpr.runtime.clock import system_clock
from anpr.runtime.images import ImageStore
from simulators.plate_pictures import render
from simulators.vehicles import Plate
from tests.support.chromium import launched_chromium

# Twenty times real speed, one vehicle in fifty listed: enough in a minute, and no more than a busy machine can do.
SEED, SPEED, LISTED_SHARE = 7, 20.0, 0.02
INCIDENTS = 18
COLOURS = 64
# Listed plates, and readings of them so far off that a person must look first.
UNSURE = (
    (Plate("AB12CDE", "GB"), "4BIZCDE"),
    (Plate("KR12055", "PL"), "KRIZOSS"),
)


expect.set_options(timeout=60_000)


class Studio:
    """The consoles, and the people who use them."""

    def __init__(self, browser: Browser, notes: list[str], folder: Path) -> None:
        self._browser = browser
        self._folder = folder
        text = "\n".join(notes)
        self._addresses = dict(re.findall(r"(\w+) +(http://\S+)/", text))
        self._password = re.findall(r"password of all is (\S+)", text)[0]

    def open_console(self, site: str, user: str = "") -> Page:
        """Return a page at a console, signed in."""
        page = self._browser.new_context(viewport={"width": 1280, "height": 860}).new_page()
        page.set_default_timeout(60_000)
        page.goto(f"{self._addresses[site]}/sign-in")
        if user:
            page.get_by_label("Name").fill(user)
            page.get_by_label("Password").fill(self._password)
            page.get_by_role("button", name="Sign in").click()
            page.wait_for_url(lambda url: "sign-in" not in url)
        return page

    def capture(self, seen: Page | Locator, name: str, **options: Any) -> None:
        """Save a small picture of a page or of a part of one."""
        page = seen.page if isinstance(seen, Locator) else seen
        # The browser fetches pictures further down only when they are scrolled to. Until then they are never ready.
        page.evaluate(
            """Promise.all([...document.images].map((image) => {
                image.loading = "eager";
                return image.decode().catch(() => 0);
            }))"""
        )
        if options.get("full_page"):
            # The bar at the foot of the window would lie across the middle of the picture.
            page.evaluate("document.getElementById('called').style.display = 'none'")
        picture = Image.open(io.BytesIO(seen.screenshot(**options))).convert("RGB")
        few = picture.quantize(COLOURS, dither=Image.Dither.NONE)
        few.save(self._folder / f"{name}.png", optimize=True)
        click.echo(f"{name}.png, {(self._folder / f'{name}.png').stat().st_size // 1000} kB", err=True)


def misread(demo: Demo, plate: Plate, read_as: str, lane: str, confidence: float) -> None:
    """Let a listed vehicle come by at Calais whose plate is read wrongly."""
    now = system_clock()
    jpeg = render(plate, "front", 3, Random(read_as))
    images = ImageStore(demo.settings.images_dir, timedelta(hours=demo.settings.images.images_retention_hours))
    read = Read(
        read_id=f"misread-{read_as}",
        site="calais",
        camera=f"calais-uk-{lane}-front",
        lane=lane,
        position="front",
        direction="uk_bound",
        captured_at=now,
        plate=read_as,
        country=plate.country,
        confidence=confidence,
        image=images.put("calais", now, jpeg),
    )
    producer = KafkaProducer(demo.kafka)
    producer.produce(topics.reads("calais"), read.camera, encode(read))
    producer.flush(60)


def settle(page: Page, outcome: str, check: str = "Same plate") -> None:
    """Claim the first unclaimed incident of a board, and settle it."""
    page.locator("#section-now [data-claim]").first.press("Enter")
    page.get_by_role("button", name=check).press("Enter")
    page.get_by_label(outcome).check()
    page.get_by_role("button", name="Record the outcome").press("Enter")
    page.get_by_role("link", name="Board", exact=True).first.click()


def pictures(demo: Demo, studio: Studio, seen: set[str]) -> None:
    """Let officers work, and take the pictures. `seen` are the listed plates that surely passed at Calais."""
    studio.capture(studio.open_console("Calais"), "sign-in")
    calais, coquelles, dover = (
        studio.open_console(*who) for who in (("Calais", "officer"), ("Coquelles", "officer2"), ("Dover", "officer"))
    )
    expect(calais.locator("#count")).not_to_have_text("?")
    misread(demo, Plate("HA65MVP", "GB"), "HA6SMVP", "2", 0.81)
    unsure, read_as = next(candidate for candidate in UNSURE if candidate[0].text not in seen)
    misread(demo, unsure, read_as, "6", 0.42)
    expect(calais.locator("#section-now .card:has(mark)").first).to_be_visible()
    expect(calais.locator("#section-review .card:has(mark)").first).to_be_visible()
    settle(calais, "Stopped, nothing found")
    settle(calais, "Misread: not this plate", "Different plate")
    calais.locator("#section-now [data-claim]").nth(1).press("Enter")
    calais.get_by_role("link", name="Board", exact=True).first.click()
    coquelles.locator("#section-now [data-claim]").first.press("Enter")
    expect(calais.locator("#section-elsewhere")).to_contain_text("at Coquelles")
    studio.capture(calais, "board")
    calais.locator(".section--review").evaluate("section => section.scrollIntoView()")
    studio.capture(calais, "board-lower")
    calais.evaluate("scrollTo(0, 0)")
    calais.keyboard.press("?")
    studio.capture(calais, "help")
    calais.keyboard.press("Escape")
    studio.capture(dover, "board-dover")
    calais.locator(".card:has(mark) .card__open").first.press("Enter")
    calais.get_by_role("button", name="Claim").press("Enter")
    calais.get_by_role("button", name="Same plate").press("Enter")
    expect(calais.get_by_role("button", name="Record the outcome")).to_be_visible()
    studio.capture(calais, "incident-in-hand", full_page=True)
    calais.get_by_label("Why are you looking it up?").fill("seen leaving the lane")
    calais.get_by_role("button", name="Look it up at every port").press("Enter")
    expect(calais.locator(".stay").first).to_be_visible()
    expect(calais.locator("#tools")).to_be_visible()
    studio.capture(calais, "look-up", full_page=True)
    for name, path in (("shift", "/shift"), ("health", "/health")):
        calais.goto(re.sub(r"/vehicle|/shift", path, calais.url))
        expect(calais.locator("#tools")).to_be_visible()
        studio.capture(calais, name)
    calais.goto(re.sub(r"/health", "/audit", calais.url))
    studio.capture(calais, "refused")
    studio.capture(studio.open_console("Calais", "auditor"), "audit")
    calais.get_by_role("link", name="Board", exact=True).first.click()
    calais.set_viewport_size({"width": 400, "height": 800})
    expect(calais.locator("#tools")).to_be_visible()
    studio.capture(calais, "board-narrow")
    calais.set_viewport_size({"width": 1280, "height": 860})
    demo.supervisor.remove("matcher-dunkerque-1")
    expect(calais.locator("#warnings")).to_contain_text("Dunkerque: cut off since")
    studio.capture(calais, "board-broken")


def main(folder: Path) -> None:
    """Run the whole system until enough vehicles have passed, and save the pictures in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        browser = stack.enter_context(launched_chromium())
        demo = stack.enter_context(
            Demo(Path("config"), Path("config/example_watchlist.csv"), partial(click.echo, err=True))
        )
        feed = demo.open_feed()
        demo.start_matchers(feed)
        demo.start_histories()
        studio = Studio(browser, demo.start_consoles(), folder)
        demo.start_traffic(seed=SEED, speed=SPEED, scenario="peak-day", listed_share=LISTED_SHARE)

        def enough() -> bool:
            feed.fold_new_records(0.2)
            return len(feed.board.incidents(system_clock())) >= INCIDENTS

        wait_until(enough, 180)
        pictures(
            demo,
            studio,
            {incident.plate for incident in feed.board.incidents(system_clock()) if incident.site == "calais"},
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
