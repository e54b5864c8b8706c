"""The console as an officer sees it: in a real browser."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, expect, sync_playwright

from anpr.local.valkey import ValkeyServer
from tests.chromium import Wire, chromium
from tests.web_console import PASSWORD, ConsoleServer, running_console

expect.set_options(timeout=20_000)
OpenPage = Callable[[str, str], Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with ValkeyServer(tmp_path_factory.mktemp("valkey")) as server:
        yield server.url


@pytest.fixture
def server(tmp_path: Path, valkey: str) -> Iterator[ConsoleServer]:
    with running_console(tmp_path / "console", valkey) as one:
        one.say_all_is_well()
        yield one


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """Give a way to sign in to a console as somebody, each in a browser of their own."""
    with ExitStack() as stack:

        def open_page(url: str, name: str) -> Page:
            context = browser.new_context(viewport={"width": 1280, "height": 900})
            stack.callback(context.close)
            page = context.new_page()
            page.goto(f"{url}/sign-in")
            page.get_by_label("Name").fill(name)
            page.get_by_label("Password").fill(PASSWORD)
            page.get_by_role("button", name="Sign in").click()
            expect(page.locator("#main")).to_be_visible()
            return page

        yield open_page


def ids(page: Page) -> list[str]:
    """Return the cards of what is here and now, as they stand on the page."""
    found: list[str] = page.eval_on_selector_all("#lane-now > li", "items => items.map(item => item.id)")
    return found


def press_claim(page: Page) -> None:
    """Press as the keyboard does, and do not wait for the answer."""
    page.evaluate("document.querySelector('[data-claim]').click()")


def test_a_vehicle_appears_by_itself_and_is_in_the_count_of_the_title(
    server: ConsoleServer, open_page: OpenPage
) -> None:
    page = open_page(server.url, "ann")
    expect(page.locator("#lane-now > li")).to_have_count(0)
    server.say_all_is_well()
    server.alert("AB12CDE")
    card = page.locator("#lane-now > li")
    expect(card).to_have_count(1)
    for words in ("why AB12CDE", "hold", "Lane 1", "Nobody has it in hand here"):
        expect(card).to_contain_text(words)
    expect(page.locator("#count")).to_have_text("1")
    assert page.title().startswith("(1) ")


def test_a_page_whose_scripts_did_not_come_does_not_look_quiet(server: ConsoleServer, open_page: OpenPage) -> None:
    page = open_page(server.url, "ann")
    page.route("**/static/*.js", lambda route: route.abort())
    page.goto(server.url)
    expect(page.locator("#count")).to_have_text("?")
    expect(page.locator("#status")).to_contain_text("not live yet")
    assert page.title().startswith("(?) ")


def test_what_is_claimed_at_calais_coquelles_sees(
    server: ConsoleServer, open_page: OpenPage, tmp_path: Path, valkey: str
) -> None:
    with running_console(tmp_path / "coquelles", valkey, site="coquelles", broker=server.broker) as other:
        ann, kate = open_page(server.url, "ann"), open_page(other.url, "kate")
        server.alert("AB12CDE")
        expect(kate.locator("#lane-elsewhere > li")).to_have_count(1)
        expect(ann.locator("#lane-now > li")).to_have_count(1)
        ann.keyboard.press("n")
        ann.keyboard.press("c")
        expect(ann.locator("#main")).to_contain_text("You have it in hand")
        expect(kate.locator("#lane-elsewhere")).to_contain_text("ann has it in hand at Calais")


def test_of_two_who_claim_at_once_one_has_it_and_the_other_is_told_by_whom(
    server: ConsoleServer, open_page: OpenPage
) -> None:
    alert = server.alert("AB12CDE")
    pages = {name: open_page(server.url, name) for name in ("ann", "bob")}
    for page in pages.values():
        page.goto(f"{server.url}/incident/{alert.alert_id}")
    for page in pages.values():
        press_claim(page)
    for page in pages.values():
        expect(page.locator(".said, .govuk-error-summary")).to_be_visible()
    winner, loser = ("ann", "bob") if pages["ann"].get_by_role("button", name="Same").count() else ("bob", "ann")
    expect(pages[winner].locator(".said")).to_contain_text("You have it in hand")
    expect(pages[loser].locator("#main")).to_contain_text(f"{winner} ")
    expect(pages[loser].locator("[data-check]")).to_have_count(0)


def test_no_outcome_before_the_plate_was_checked_and_what_was_done_can_be_taken_back(
    server: ConsoleServer, open_page: OpenPage
) -> None:
    alert = server.alert("AB12CDE")
    page = open_page(server.url, "ann")
    page.goto(f"{server.url}/incident/{alert.alert_id}")
    press_claim(page)
    expect(page.get_by_text("First check the plate.")).to_be_visible()
    expect(page.locator("[name=outcome]")).to_have_count(0)
    page.keyboard.press("s")
    page.locator("[name=outcome]").first.check()
    page.get_by_role("button", name="Give the outcome").click()
    expect(page.locator(".card__state")).to_contain_text("Settled")
    page.locator("#timeline li").last.get_by_role("button", name="Take back").click()
    expect(page.locator("#timeline .gone")).to_contain_text("taken back")
    expect(page.get_by_role("button", name="Give the outcome")).to_be_visible()


def test_nothing_is_missed_or_doubled_when_the_connection_is_cut_or_the_console_restarted(
    server: ConsoleServer, open_page: OpenPage, tmp_path: Path, valkey: str
) -> None:
    wire = Wire(server.url)
    page = open_page(wire.url, "ann")
    expect(page.locator("#tools")).to_be_visible()  # its script runs
    page.evaluate("document.title += ' not reloaded'")
    wanted = []
    for number in range(8):
        wire.cut()
        wanted.append("card-" + server.alert(f"CUT{number}").alert_id)
    expect(page.locator("#lane-now > li")).to_have_count(len(wanted))
    assert sorted(ids(page)) == sorted(wanted)
    server.stop()
    wire.cut()
    with running_console(tmp_path / "console", valkey, broker=server.broker) as again:
        wire.lead_to(again.url)
        wanted.append("card-" + again.alert("AFTER1").alert_id)
        expect(page.locator("#lane-now > li")).to_have_count(len(wanted))
        assert sorted(ids(page)) == sorted(wanted)
        assert "not reloaded" in page.title()
        wire.close()


def test_axe_finds_nothing_on_any_page_but_health(
    server: ConsoleServer, open_page: OpenPage, browser: Browser
) -> None:
    mine = server.alert("AB12CDE")
    server.alert("ELSE1", site="coquelles")
    found = {}

    def look(page: Page, name: str) -> None:
        found[name] = [
            (fault["id"], [node["html"][:200] for node in fault["nodes"]])
            for fault in Axe().run(page).response["violations"]
        ]

    outside = browser.new_page()
    outside.goto(f"{server.url}/sign-in")
    look(outside, "sign-in")
    outside.close()
    ann = open_page(server.url, "ann")
    look(ann, "board")
    ann.keyboard.press("?")
    look(ann, "help")
    ann.goto(f"{server.url}/incident/{mine.alert_id}")
    look(ann, "incident")
    press_claim(ann)
    ann.locator("[data-check=same]").click()
    expect(ann.locator("[name=outcome]").first).to_be_visible()
    look(ann, "incident in hand")
    ann.get_by_role("button", name="Sign out").click()
    expect(ann.locator("h1")).to_contain_text("You still have 1 in hand")
    look(ann, "sign-out")
    # Health is left out: it still reloads itself by a meta refresh, which axe rightly refuses.
    for name, path in (("shift", "/shift"), ("refused", "/audit")):
        ann.goto(server.url + path)
        look(ann, name)
    aud = open_page(server.url, "aud")
    aud.goto(f"{server.url}/audit")
    look(aud, "audit")
    faults = {name: of_page for name, of_page in found.items() if of_page}
    assert not faults, faults
