"""The board of a UK port in a real browser: what is due, in which order, and the page's head at every width."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from anpr.console.auth.users_file import User
from anpr.contracts import topics
from anpr.contracts.events import Alert
from anpr.local.processes import wait_until
from tests.support.strategies import a_read, an_alert, an_entry
from tests.support.web_console import QUICK_HASH, ConsoleServer, running_console
from tests.web.console.test_vehicle_in_browser import signed_in

CROSSING = timedelta(minutes=90)


@pytest.fixture
def dover(tmp_path: Path, redis_url: str) -> Iterator[ConsoleServer]:
    with running_console(tmp_path / "dover", redis_url, site="dover") as server:
        server.users.save(User(name="dora", role="officer", sites=("dover",), password_hash=QUICK_HASH))
        yield server


def due(dover: ConsoleServer, plate: str, at: datetime, priority: int, *lists: str) -> Alert:
    """Let a vehicle leave Calais that can drive off at Dover at that time, and return its first alert."""
    read = a_read(f"read-{plate}", plate=plate, captured_at=at - CROSSING)
    alerts = [
        an_alert(
            read,
            an_entry(f"{plate}-{name}", plate=plate, priority=priority, list=name, reason=name, instruction="hold"),
            raised_at=at - CROSSING,
        )
        for name in lists or ("stolen",)
    ]
    for alert in alerts:
        dover.put(topics.alerts("calais"), alert)
    assert wait_until(lambda: any(alert.alert_id in dover.shown() for alert in alerts), 60)
    return alerts[0]


def test_vehicles_due_in_the_same_quarter_are_one_group_by_priority_and_are_counted_as_on_the_way(
    dover: ConsoleServer, chrome: Browser
) -> None:
    dover.report_all_is_well()
    now = dover.clock() + timedelta(minutes=16)
    quarter = now.replace(minute=now.minute - now.minute % 15, second=0, microsecond=0)
    fine = due(dover, "FI11NES", quarter + timedelta(minutes=2), 4)
    danger = due(dover, "DA11NGR", quarter + timedelta(minutes=9), 1)
    later = due(dover, "LA11TER", quarter + timedelta(minutes=16), 1)
    with signed_in(chrome, dover, "dora") as page:
        expect(page.locator("#section-elsewhere > li")).to_have_count(3, timeout=60_000)
        order = page.eval_on_selector_all("#section-elsewhere > li", "items => items.map((item) => item.id.slice(5))")
        assert order == [danger.alert_id, fine.alert_id, later.alert_id]
        groups = page.locator(".card__group:visible")
        first, second, third = (quarter + timedelta(minutes=15 * number) for number in range(3))
        said = [
            f"Due at the earliest {since:%H:%M} to {until:%H:%M} UTC"
            for since, until in ((first, second), (second, third))
        ]
        expect(groups).to_have_text(said)
        expect(page.locator("#count-words")).to_contain_text("3 on the way here")
        expect(page.get_by_role("heading", name="On the way here: needs somebody (3)")).to_be_visible()


def test_what_two_entries_say_alike_is_said_once(dover: ConsoleServer, chrome: Browser) -> None:
    due(dover, "TW11CES", dover.clock() + timedelta(minutes=20), 2, "stolen", "wanted")
    with signed_in(chrome, dover, "dora") as page:
        card = page.locator("#section-elsewhere > li")
        for reason in ("stolen", "wanted"):
            expect(card).to_contain_text(reason, timeout=60_000)
        expect(card.locator(".card__do")).to_have_count(1)


# Controls and texts of the page's head that lie over each other or leave the window.
CLASHES = """() => {
    const all = [...document.querySelectorAll(".top__name, .top__links a, .top__who span, .top__button")];
    const boxes = all.map((element) => [element.textContent, element.getBoundingClientRect()]);
    const clash = (one, other) => one.left < other.right - 1 && other.left < one.right - 1
        && one.top < other.bottom - 1 && other.top < one.bottom - 1;
    return boxes.flatMap(([text, box], at) => [
        ...(box.left < 0 || box.right > innerWidth ? [text + " leaves the window"] : []),
        ...boxes.slice(at + 1).filter(([, other]) => clash(box, other)).map(([more]) => text + " on " + more)]);
}"""


@pytest.mark.parametrize("width", [1280, 1024, 390, 320])
def test_the_longest_head_of_a_page_fits_the_window(dover: ConsoleServer, chrome: Browser, width: int) -> None:
    with signed_in(chrome, dover, "sam", viewport={"width": width, "height": 800}) as page:
        page.evaluate("""() => {
            document.querySelector(".top__site").textContent = "Dunkerque Port Ouest, terminal transmanche";
            document.querySelector(".top__who span").textContent = "christopher.featherstonehaugh, supervisor";
            const links = document.querySelector(".top__links");
            links.append(Object.assign(links.lastElementChild.cloneNode(true)));
            links.lastElementChild.firstElementChild.textContent = "Audit";
        }""")
        assert page.evaluate(CLASHES) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        sign_out, night = (
            page.get_by_role("button", name=name).bounding_box() for name in ("Sign out", "Night screen")
        )
        assert sign_out is not None
        assert night is not None
        assert width < 1000 or abs(sign_out["y"] - night["y"]) < 3, "the buttons stand beside each other"
