"""Consoles as they run in service: on a real broker, with matchers, several at once, killed and restarted."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from anpr.console.auth.users_file import User, UsersFile
from anpr.contracts import canary, topics
from anpr.contracts.events import decode_action
from anpr.local.free_ports import free_ports
from anpr.local.processes import wait_until
from tests.support.entries import read_line, write_list
from tests.support.installation import Installation
from tests.support.plain_http import NO_CERTIFICATES
from tests.support.web_console import PASSWORD, QUICK_HASH


class Consoles:
    """The consoles of an installation, by name."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.addresses: dict[str, str] = {}
        installation.environment |= {
            "ANPR_CONSOLE__USERS_FILE": str(installation.folder / "users.json"),
            "ANPR_CONSOLE__CANARY_EVERY_SECONDS": "2",
        }
        users = UsersFile(installation.folder / "users.json")
        for name, role in (("ann", "officer"), ("bob", "officer"), ("sam", "supervisor")):
            users.save(User(name=name, role=role, sites=("*",), password_hash=QUICK_HASH))

    def start(self, name: str, site: str) -> None:
        """Start a console and wait until it answers and has read the topics."""
        (port,) = free_ports(1)
        self.addresses[name] = f"http://127.0.0.1:{port}"
        self.installation.start(name, "console", "--site", site, "--port", str(port))
        assert wait_until(lambda: self._answers(name), 60)

    def _answers(self, name: str) -> bool:
        try:
            return httpx.get(f"{self.addresses[name]}/sign-in", timeout=60, verify=NO_CERTIFICATES).status_code == 200
        except httpx.HTTPError:
            return False

    @contextmanager
    def browser(self, console: str, user: str) -> Iterator[httpx.Client]:
        """Give a browser that is signed in."""
        url = self.addresses[console]
        with httpx.Client(
            base_url=url, headers={"Origin": url}, timeout=60, verify=NO_CERTIFICATES, follow_redirects=True
        ) as client:
            assert client.post("/sign-in", data={"name": user, "password": PASSWORD}).status_code == 200
            yield client


def state(browser: httpx.Client) -> dict[str, Any]:
    """Return the cards of the board, once the console has read back the topics."""
    answers: list[httpx.Response] = []

    def is_whole() -> bool:
        answers.append(browser.get("/board/state"))
        return answers[-1].status_code == httpx.codes.OK

    assert wait_until(is_whole, 60)
    return dict(answers[-1].json()["set"])


def cards(browser: httpx.Client) -> dict[str, Any]:
    """Return the incidents on the board, by their id."""
    return {name: card for name, card in state(browser).items() if name != "head"}


def head(browser: httpx.Client) -> dict[str, Any]:
    return dict(state(browser)["head"])


def has_warning(browser: httpx.Client, words: str) -> bool:
    return any(words in warning for warning in head(browser)["warnings"])


def warnings_of(browser: httpx.Client, site: str) -> str:
    """Return the warnings that name a site, before the colon: a line names all sites with the same fault."""
    return " ".join(warning for warning in head(browser)["warnings"] if site.title() in warning.partition(":")[0])


def act(browser: httpx.Client, incident_id: str, command: str, **fields: str) -> str:
    page = browser.get(f"/incident/{incident_id}").text
    csrf = page.split('name="csrf" value="')[1].split('"')[0]
    return browser.post(f"/incident/{incident_id}/{command}", data={"csrf": csrf, **fields}).text


@pytest.fixture
def consoles(installation: Installation, tmp_path: Path) -> Consoles:
    installation.apply_list(write_list(tmp_path / "l.csv", "AB12CDE", "YO10OIL"))
    return Consoles(installation)


def test_a_claim_at_one_port_is_shown_at_the_other_even_after_a_crash(consoles: Consoles) -> None:
    calais, coquelles, _ = consoles.installation.sites
    consoles.installation.start_matcher(calais, "m")
    consoles.start("one", calais)
    consoles.start("two", coquelles)
    with consoles.browser("one", "ann") as here, consoles.browser("two", "bob") as there:
        consoles.installation.run("send", "--site", calais, input=read_line("a", calais, "AB12CDE", lane="1"))
        assert wait_until(lambda: len(cards(here)) == len(cards(there)) == 1, 60)
        (incident_id,) = cards(here)
        assert cards(here)[incident_id]["section"] == "now"
        assert cards(there)[incident_id]["section"] == "elsewhere"
        assert "You have claimed this." in act(here, incident_id, "claim")

        def shows_the_claim(browser: httpx.Client) -> bool:
            return "Claimed by <strong>ann</strong>" in cards(browser)[incident_id]["html"]

        assert wait_until(lambda: shows_the_claim(here) and shows_the_claim(there), 60)
        before = cards(here)
        consoles.installation.supervisor.kill("one")
        assert wait_until(lambda: consoles._answers("one"), 60)
        assert wait_until(lambda: cards(here) == before, 60), "the same board, and the session continues"


def test_when_two_officers_claim_at_once_at_two_consoles_one_gets_it_and_both_see_who(consoles: Consoles) -> None:
    calais = consoles.installation.sites[0]
    consoles.installation.start_matcher(calais, "m")
    consoles.start("one", calais)
    consoles.start("two", calais)
    with consoles.browser("one", "ann") as ann, consoles.browser("two", "bob") as bob:
        consoles.installation.run("send", "--site", calais, input=read_line("a", calais, "AB12CDE"))
        assert wait_until(lambda: len(cards(ann)) == len(cards(bob)) == 1, 60)
        (incident_id,) = cards(ann)
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(lambda who: act(who, incident_id, "claim"), (ann, bob)))
        claims = [decode_action(r.value or b"") for r in consoles.installation.records([topics.actions(calais)])]
        first = claims[0].officer
        winner, loser = answers if first == "ann" else reversed(answers)
        assert "You have claimed this." in winner
        assert f"{first} claimed this first" in loser or f"{first} has already claimed this" in loser


def test_the_canary_comes_back_at_every_console_without_being_an_incident_or_counted(consoles: Consoles) -> None:
    calais, coquelles, dunkerque = consoles.installation.sites
    for site in (calais, coquelles, dunkerque):
        consoles.installation.start_matcher(site, f"{site}-m")
        consoles.start(site, site)
    with consoles.browser(calais, "ann") as here, consoles.browser(coquelles, "ann") as there:
        for browser in (here, there):
            assert wait_until(lambda at=browser: at.get("/health").text.count("came back after") == 3, 60)  # type: ignore[misc]
            assert wait_until(lambda at=browser: head(at)["count"] == "0", 60), head(browser)["warnings"]  # type: ignore[misc]
            assert cards(browser) == {}
        consoles.installation.supervisor.remove(dunkerque)
        assert wait_until(lambda: has_warning(here, "test plate has not come back"), 60)
        assert head(here)["count"] == "?"
    statuses = consoles.installation.records([topics.status(calais)])
    assert b'"reads":0' in (statuses[-1].value or b"")
    assert any(
        canary.PLATE.encode() in (r.value or b"") for r in consoles.installation.records([topics.alerts(calais)])
    )


def test_a_port_that_reports_nothing_is_named_and_the_count_becomes_a_question_mark(consoles: Consoles) -> None:
    calais = consoles.installation.sites[0]
    consoles.installation.start_matcher(calais, "m")
    consoles.start("one", calais)
    with consoles.browser("one", "ann") as ann:
        assert wait_until(lambda: "received yet" not in warnings_of(ann, calais), 60)
        consoles.installation.supervisor.remove("m")
        assert wait_until(lambda: "cut off since" in warnings_of(ann, calais), 60)
        assert head(ann)["count"] == "?"
