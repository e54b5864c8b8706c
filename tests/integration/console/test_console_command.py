"""Consoles as they are run: on a real broker, with matchers, several of them at once, killed and started again."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from anpr.contracts import canary, topics
from anpr.contracts.events import decode_action
from anpr.local.free_ports import free_ports
from anpr.local.processes import wait_until
from tests.support.entries import read_line, write_list
from tests.support.installation import Installation

PASSWORD = "correct horse battery"  # noqa: S105  of people in tests


class Consoles:
    """The consoles of an installation, by name."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.addresses: dict[str, str] = {}
        installation.environment |= {
            "ANPR_CONSOLE__USERS_FILE": str(installation.folder / "users.json"),
            "ANPR_CONSOLE__CANARY_EVERY_SECONDS": "2",
        }
        for name, role in (("ann", "officer"), ("bob", "officer"), ("sam", "supervisor")):
            done = installation.run(
                "users",
                "add",
                name,
                "--role",
                role,
                "--site",
                "*",
                "--password-stdin",
                input=f"{PASSWORD}\n".encode(),
            )
            assert done.returncode == 0, done.stderr.decode()

    def start(self, name: str, site: str) -> None:
        """Start a console and wait until it answers and has read the topics."""
        (port,) = free_ports(1)
        self.addresses[name] = f"http://127.0.0.1:{port}"
        self.installation.start(name, "console", "--site", site, "--port", str(port))
        assert wait_until(lambda: self._answers(name), 60)

    def _answers(self, name: str) -> bool:
        try:
            return httpx.get(f"{self.addresses[name]}/sign-in", timeout=60).status_code == 200
        except httpx.HTTPError:
            return False

    @contextmanager
    def browser(self, console: str, user: str) -> Iterator[httpx.Client]:
        """Give a browser that is signed in."""
        url = self.addresses[console]
        with httpx.Client(base_url=url, headers={"Origin": url}, timeout=60, follow_redirects=True) as client:
            assert client.post("/sign-in", data={"name": user, "password": PASSWORD}).status_code == 200
            yield client


def state(browser: httpx.Client) -> dict[str, Any]:
    """Return what is on the board, once the console has read back what was."""
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


def act(browser: httpx.Client, incident_id: str, command: str, **fields: str) -> str:
    page = browser.get(f"/incident/{incident_id}").text
    csrf = page.split('name="csrf" value="')[1].split('"')[0]
    return browser.post(f"/incident/{incident_id}/{command}", data={"csrf": csrf, **fields}).text


@pytest.fixture
def consoles(installation: Installation, tmp_path: Path) -> Consoles:
    installation.plan_and_apply(write_list(tmp_path / "l.csv", "AB12CDE", "YO10OIL"))
    return Consoles(installation)


def test_what_one_port_has_in_hand_the_other_sees_also_after_a_crash(consoles: Consoles) -> None:
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
        assert "You have it in hand" in act(here, incident_id, "claim")
        for browser in (here, there):
            assert wait_until(lambda on=browser: "ann</strong> has it in hand" in cards(on)[incident_id]["html"], 60)  # type: ignore[misc]
        before = cards(here)
        consoles.installation.supervisor.kill("one")
        assert wait_until(lambda: consoles._answers("one"), 60)
        assert wait_until(lambda: cards(here) == before, 60), "the same board, and the session goes on"


def test_of_two_who_claim_at_once_at_two_consoles_one_has_it_and_both_know_who(consoles: Consoles) -> None:
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
        assert "You have it in hand" in winner
        assert f"{first} was first and has it in hand" in loser or f"{first} has it in hand" in loser


def test_the_canary_comes_back_at_every_console_and_is_no_incident_and_in_no_count(consoles: Consoles) -> None:
    calais, coquelles, dunkerque = consoles.installation.sites
    for site in (calais, coquelles, dunkerque):
        consoles.installation.start_matcher(site, f"{site}-m")
        consoles.start(site, site)
    with consoles.browser(calais, "ann") as here, consoles.browser(coquelles, "ann") as there:
        for browser in (here, there):
            assert wait_until(lambda at=browser: at.get("/health").text.count("here after") == 3, 60)  # type: ignore[misc]
            assert wait_until(lambda at=browser: head(at)["count"] == "0", 60), head(browser)["warnings"]  # type: ignore[misc]
            assert cards(browser) == {}
        consoles.installation.supervisor.remove(dunkerque)
        assert wait_until(lambda: any("test plate has not come back" in f for f in head(here)["warnings"]), 60)
        assert head(here)["count"] == "?"
    statuses = consoles.installation.records([topics.status(calais)])
    assert b'"reads":0' in (statuses[-1].value or b"")
    assert any(
        canary.PLATE.encode() in (r.value or b"") for r in consoles.installation.records([topics.alerts(calais)])
    )


def test_a_port_that_is_not_heard_is_said_and_the_count_is_not_known(consoles: Consoles) -> None:
    calais = consoles.installation.sites[0]
    consoles.installation.start_matcher(calais, "m")
    consoles.start("one", calais)
    with consoles.browser("one", "ann") as ann:
        assert wait_until(lambda: not any("Calais" in f and "heard" in f for f in head(ann)["warnings"]), 60)
        consoles.installation.supervisor.remove("m")
        assert wait_until(lambda: any("cut off since" in fault for fault in head(ann)["warnings"]), 60)
        assert head(ann)["count"] == "?"
