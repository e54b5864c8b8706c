"""A full board in a real browser: its cards say what is of their own vehicle, and nothing over and over."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from anpr.contracts import topics
from anpr.local.processes import wait_until
from tests.support.strategies import a_read, an_alert, an_entry
from tests.support.web_console import ConsoleServer, running_console
from tests.web.console.test_vehicle_in_browser import signed_in

EACH_SECTION = 8
# What a glance takes in, such as "By road from 12:30".
MOST_WORDS = 6
TIME = re.compile(r"\d\d:\d\d")


@pytest.fixture
def server(tmp_path: Path, redis_url: str) -> Iterator[ConsoleServer]:
    with running_console(tmp_path / "console", redis_url) as console_server:
        yield console_server


def come_by(server: ConsoleServer, name: str, site: str = "calais", score: float = 0.9) -> None:
    """Let as many vehicles pass as a section shows here, each listed for a reason of its own."""
    for number in range(EACH_SECTION):
        plate = f"{name}{number}ABC"
        read = a_read(f"read-{plate}", site=site, plate=plate, captured_at=server.clock(), lane=str(number))
        entry = an_entry(plate, plate=plate, reason=f"reason {number}", instruction=f"do {number}")
        server.put(topics.alerts(site), an_alert(read, entry, raised_at=server.clock(), score=score))


def sentences(card: str) -> set[str]:
    """Return the sentences of a card that take longer to read than a glance. Times are no words."""
    said = (" ".join(TIME.sub("", line).split()) for line in re.split(r"[.\n]", card))
    return {line for line in said if len(line.split()) > MOST_WORDS}


def test_no_sentence_stands_on_nearly_every_card(server: ConsoleServer, chrome: Browser) -> None:
    for name, site, score in (("HE", "calais", 0.9), ("RE", "calais", 0.1), ("EL", "coquelles", 0.9)):
        come_by(server, name, site, score)
    assert wait_until(lambda: len(server.shown()) > 3 * EACH_SECTION, 60)
    server.clock_offset += timedelta(minutes=3)  # nobody has claimed any of them in time
    server.report_all_is_well()
    with signed_in(chrome, server, "ann") as page:
        expect(page.locator("#section-now .card__overdue")).to_have_count(EACH_SECTION, timeout=60_000)
        for section in ("now", "review", "elsewhere"):
            cards = page.locator(f"#section-{section} > li")
            expect(cards).to_have_count(EACH_SECTION)
            times_said = Counter(sentence for card in cards.all_inner_texts() for sentence in sentences(card))
            assert [said for said, times in times_said.items() if times > EACH_SECTION / 2] == [], section
        expect(page.get_by_role("heading", name="At other ports: may come here by road (8)")).to_be_visible()
