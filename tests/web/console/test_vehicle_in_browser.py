"""Looking a vehicle up in a real browser: with and without scripts, by keyboard, on a phone, and the export."""

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, expect

from anpr.back_check.alert_publisher import AlertPublisher
from anpr.console.auth.users_file import User
from anpr.contracts import topics
from anpr.contracts.alert_id import alert_id
from anpr.index_store.follower import ActiveIndex
from anpr.kafka.in_memory import InMemoryProducer
from anpr.local.processes import wait_until
from anpr.local.valkey_server import ValkeyServer
from anpr.matching.index import Index
from simulators.plate_pictures import render
from simulators.vehicles import Plate
from tests.support.back_check import AlertsInMemory, SightingsInMemory, back_check_of
from tests.support.scene import sign_in
from tests.support.sightings import PLATE, a_misread, a_sighting, an_answer, no_answer, with_alert
from tests.support.strategies import a_read, an_action, an_alert, an_arrival, an_entry, generation
from tests.support.web_console import QUICK_HASH, ConsoleServer, running_console
from tests.web.console.test_in_browser import CALLED

REASON = "seen leaving the lane"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsoleServer]:
    folder = tmp_path_factory.mktemp("console")
    with ValkeyServer(folder / "valkey") as valkey, running_console(folder / "console", valkey.url) as console_server:
        console_server.report_all_is_well()
        now = console_server.clock()
        jpeg = render(Plate(PLATE, "GB"), "front", 3, Random(1))
        sighting = a_sighting(seen_at=now, read={"image": console_server.images.put("calais", now, jpeg)})
        alert = an_alert(sighting.read, an_entry(reason="stolen lorry"), raised_at=now)
        console_server.put(topics.of_alert(alert), alert)
        assert wait_until(lambda: alert.alert_id in console_server.shown(), 60)
        outcome = an_action("1", "outcome", alert, officer="ann", outcome="turned_away", at=now)
        console_server.replies = [
            an_answer("calais", with_alert(sighting, alert, outcome), a_misread(seen_at=now)),
            an_answer("coquelles", a_sighting("coquelles", now - timedelta(hours=3))),
            no_answer("dover"),
        ]
        yield console_server


@contextmanager
def signed_in(chrome: Browser, server: ConsoleServer, user: str, **options: Any) -> Iterator[Page]:
    context = chrome.new_context(**options)
    try:
        page = context.new_page()
        page.set_default_timeout(60_000)
        sign_in(page, server.url, user)
        page.wait_for_url(lambda url: "sign-in" not in url)
        yield page
    finally:
        context.close()


def look_up(page: Page, server: ConsoleServer) -> None:
    page.goto(f"{server.url}/vehicle")
    page.get_by_label("Plate").fill("ab12 cde")
    page.get_by_label("Why are you looking it up?").fill(REASON)
    page.get_by_role("button", name="Look it up").click()
    expect(page.get_by_role("heading", name="Seen 2 times")).to_be_visible(timeout=60_000)


@pytest.mark.parametrize("scripts", [True, False])
def test_an_officer_sees_where_the_vehicle_was_also_without_scripts(
    server: ConsoleServer, chrome: Browser, *, scripts: bool
) -> None:
    with signed_in(chrome, server, "ann", java_script_enabled=scripts) as page:
        look_up(page, server)
        expect(page.locator(".missing")).to_contain_text("No answer from Dover")
        newest = page.locator(".stay").first
        for words in ("Calais", "lane 3, to the UK", "Turned away", "stolen lorry"):
            expect(newest).to_contain_text(words)
        assert wait_until(lambda: page.evaluate("document.querySelector('.stay__image').naturalWidth > 0"), 60)
        newest.locator("summary").click()
        expect(newest.locator("table")).to_contain_text("calais-uk-3-front")
        expect(page.locator(".misreads .stay")).to_contain_text("12 % likely to be this vehicle")
        expect(page.locator(".chart__mark")).to_have_count(3)
        assert "AB12" not in page.url.upper()


def test_an_officer_comes_from_the_incident_by_keyboard_alone(server: ConsoleServer, chrome: Browser) -> None:
    with signed_in(chrome, server, "ann") as page:
        page.goto(f"{server.url}/")
        page.locator(".card__open").first.press("Enter")
        page.get_by_label("Why are you looking it up?").focus()
        expect(page.get_by_role("heading", name="Where has this vehicle been?")).to_be_visible()
        page.keyboard.type(REASON)
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Seen 2 times")).to_be_visible(timeout=60_000)
        assert server.asked[-1][0].plate == PLATE
        assert server.asked[-1][0].reason == REASON
        with page.context.expect_page() as opened:
            page.get_by_role("link", name="Open the incident").press("Enter")
        expect(opened.value.get_by_role("heading", name=PLATE)).to_be_visible(timeout=60_000)
        expect(page.get_by_role("heading", name="Seen 2 times")).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False])
def test_an_officer_opens_where_other_ports_saw_the_vehicle_last(
    server: ConsoleServer, chrome: Browser, *, scripts: bool
) -> None:
    with signed_in(chrome, server, "ann", java_script_enabled=scripts) as page:
        page.goto(f"{server.url}/")
        page.locator(".card__open").first.click()
        asked_before = len(server.asked)
        page.get_by_text("Show where other ports saw it last").click()
        if not scripts:
            page.get_by_role("button", name="Ask the other ports").click()
        expect(page.locator("#found")).to_contain_text("Dover: no answer", timeout=60_000)
        expect(page.locator("#found li").first).to_contain_text("Coquelles")
        assert len(server.asked) == asked_before + 1
        if scripts:
            expect(page.get_by_role("heading", name="Where has this vehicle been?")).to_be_visible()
            assert Axe().run(page).violations_count == 0


def listed_after_it_passed(server: ConsoleServer, plate: str, minutes_ago: float, handling: str = "open") -> str:
    """List a vehicle that has passed Calais, let the back-check look for it, and return the id of its incident."""
    sightings, found, passed_at = (
        SightingsInMemory(),
        AlertsInMemory(),
        server.clock() - timedelta(minutes=minutes_ago),
    )
    read = a_read(f"passed-{plate}", plate=plate, captured_at=passed_at, lane="1", direction="uk_bound")
    sightings.store(read, arrived_at=passed_at)
    check = back_check_of(sightings, found, clock=server.clock)
    index = Index.build([an_entry(plate, plate=plate, handling=handling, revision=generation(9))], generation(9))
    check.note_list(ActiveIndex(index, server.clock(), server.clock()))
    check.run_once(index, None)
    AlertPublisher(InMemoryProducer(server.broker), lambda: None)(found.published)
    return alert_id(read.identity, plate)


def test_a_vehicle_that_is_listed_on_the_water_appears_at_dover_by_itself_and_rings_there(
    server: ConsoleServer, chrome: Browser, tmp_path: Path, redis_url: str
) -> None:
    with running_console(tmp_path / "dover", redis_url, site="dover", broker=server.broker) as dover:
        dover.users.save(User(name="dora", role="officer", sites=("dover",), password_hash=QUICK_HASH))
        with signed_in(chrome, dover, "dora") as at_dover, signed_in(chrome, server, "ann") as at_calais:
            for page in (at_dover, at_calais):
                page.add_init_script(CALLED)
                page.reload()
                page.get_by_role("button", name="Sound").click()
                assert wait_until(partial(page.evaluate, "tones > 0"), 60)  # it sounds once, as a trial
                page.evaluate("tones = 0")
            incident = listed_after_it_passed(server, "XV56ABC", minutes_ago=80)
            card = at_dover.locator(f"#section-elsewhere #card-{incident}")
            expect(card).to_contain_text("Due off the ferry", timeout=60_000)
            expect(card).to_contain_text("the vehicle was seen before it was listed")
            expect(at_dover.locator("#say")).to_contain_text("New: XV56ABC")
            assert wait_until(lambda: at_dover.evaluate("tones > 0"), 60)
            expect(at_calais.locator(f"#section-passed #card-{incident}")).to_be_visible(timeout=60_000)
            assert at_calais.evaluate("tones") == 0, "it has left"

            now = dover.clock()
            covert = listed_after_it_passed(server, "KR77XYW", minutes_ago=80, handling="covert")
            dover.put(topics.covert_arrivals("dover"), an_arrival(covert, now, lane="9"))
            dover.put(topics.arrivals("dover"), an_arrival(incident, now, lane="2"))
            expect(card).to_contain_text("Arrived: seen here at", timeout=60_000)
            expect(card).to_contain_text("in lane 2")
            expect(card.get_by_role("button", name="Claim")).to_be_visible()
            expect(at_dover.locator("body")).not_to_contain_text("lane 9")

            arrived = a_read("arrived", site="dover", camera="in-1", plate="XV56ABC", captured_at=now, lane="2")
            own = an_alert(arrived, an_entry("XV56ABC", plate="XV56ABC"), raised_at=now)
            dover.put(topics.alerts("dover"), own)
            own_card = at_dover.locator(f"#section-now #card-{own.alert_id}")
            expect(own_card).to_contain_text("Expected from Calais", timeout=60_000)
            expect(card).to_have_count(0)
            own_card.get_by_role("link", name="Expected from Calais").press("Enter")
            expect(at_dover.locator("#main")).to_contain_text("It has a card of its own here", timeout=60_000)


def test_what_is_missing_in_the_form_is_said_and_leads_to_its_field(server: ConsoleServer, chrome: Browser) -> None:
    with signed_in(chrome, server, "ann") as page:
        page.goto(f"{server.url}/vehicle")
        page.get_by_label("Plate").fill("ab12 cde")
        page.get_by_role("button", name="Look it up").click()
        page.get_by_role("link", name="There is no reason.").press("Enter")
        expect(page.get_by_label("Why are you looking it up?")).to_be_focused()
        expect(page.get_by_label("Plate")).to_have_value("ab12 cde")


def test_a_supervisor_exports_in_both_forms_from_one_page(
    server: ConsoleServer, chrome: Browser, tmp_path: Path
) -> None:
    with signed_in(chrome, server, "sam") as page:
        look_up(page, server)
        files = {}
        for name in ("CSV for a spreadsheet", "JSON for a program"):
            with page.expect_download() as download:
                page.get_by_role("button", name=name).click()
            file = tmp_path / download.value.suggested_filename
            download.value.save_as(file)
            files[file.suffix] = file.read_bytes()
        rows = list(csv.DictReader(io.StringIO(files[".csv"].decode("utf-8-sig"), newline="")))
        assert [row["line"] for row in rows] == ["no answer", "sighting", "sighting", "possible misread"]
        assert b'"reason": "seen leaving the lane"' in files[".json"]


@pytest.mark.parametrize("path", ["/vehicle", "found"])
def test_the_pages_fit_a_phone_and_have_no_barriers(server: ConsoleServer, chrome: Browser, path: str) -> None:
    with signed_in(chrome, server, "sam", viewport={"width": 320, "height": 640}) as page:
        if path == "found":
            look_up(page, server)
        else:
            page.goto(server.url + path)
        for folded in page.locator("main details").all():
            folded.evaluate("details => details.open = true")
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        results = Axe().run(page)
        assert results.violations_count == 0, results.generate_report()
