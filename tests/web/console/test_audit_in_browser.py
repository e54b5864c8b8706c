"""The auditor's page in a real browser: with and without scripts, by keyboard, on a phone."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, expect

from anpr.audit.record_search import PAGE_RECORDS
from anpr.local.valkey_server import ValkeyServer
from tests.support.audit import look_up
from tests.support.web_console import ConsoleServer, running_console
from tests.web.console.test_vehicle_in_browser import signed_in

PLATE = "AB12CDE"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsoleServer]:
    folder = tmp_path_factory.mktemp("console")
    with ValkeyServer(folder / "valkey") as valkey, running_console(folder / "console", valkey.url) as console_server:
        console_server.audit_chain.append(
            look_up(PLATE, "ann"), *(look_up(f"CD{number}EFG", "bob") for number in range(PAGE_RECORDS + 20))
        )
        yield console_server


def faults_of(page: Page) -> list[str]:
    """Return what axe finds on the page, and whether it scrolls sideways on a phone."""
    found = [violation["id"] for violation in Axe().run(page).response["violations"]]
    page.set_viewport_size({"width": 320, "height": 900})
    if page.evaluate("document.documentElement.scrollWidth") > 320:
        found.append("scrolls sideways")
    page.set_viewport_size({"width": 1280, "height": 900})
    return found


@pytest.mark.parametrize("scripts", [True, False])
def test_an_auditor_finds_who_looked_a_vehicle_up(server: ConsoleServer, chrome: Browser, *, scripts: bool) -> None:
    with signed_in(chrome, server, "aud", java_script_enabled=scripts) as page:
        page.goto(f"{server.url}/audit")
        page.get_by_label("Person").focus()
        page.keyboard.type("ann")
        page.keyboard.press("Tab")
        page.keyboard.type("ab12 cde")
        page.keyboard.press("Enter")
        rows = page.locator("table[aria-labelledby=records] tbody tr, [aria-labelledby=records] tbody tr")
        expect(rows).to_have_count(1)
        for words in ("ann", "Consultation", "look-up", PLATE, "console-1, 1"):
            expect(rows).to_contain_text(words)
        expect(page.get_by_label("Vehicle, whole plate")).to_have_value("ab12 cde")
        assert "AB12" not in page.url.upper()


def test_long_results_go_on_behind_a_button(server: ConsoleServer, chrome: Browser) -> None:
    with signed_in(chrome, server, "aud") as page:
        page.goto(f"{server.url}/audit")
        page.get_by_label("Kind").select_option("Consultation")
        page.get_by_label("Person").fill("bob")
        page.get_by_role("button", name="Search").click()
        rows = page.locator("[aria-labelledby=records] tbody tr")
        expect(rows).to_have_count(PAGE_RECORDS)
        page.get_by_role("button", name="Show older records").click()
        expect(rows).to_have_count(20)
        expect(page.get_by_role("button", name="Show older records")).to_have_count(0)


def test_everybody_can_use_the_page_and_its_errors(server: ConsoleServer, chrome: Browser) -> None:
    with signed_in(chrome, server, "aud") as page:
        page.goto(f"{server.url}/audit")
        assert not faults_of(page)
        page.get_by_label("Last day").fill("2020-01-01")
        page.get_by_role("button", name="Search").click()
        expect(page.get_by_role("alert")).to_contain_text("The last day must not be before the first.")
        assert not faults_of(page)
        page.get_by_role("link", name="The last day must not be before the first.").click()
        expect(page.get_by_label("Last day")).to_be_focused()
