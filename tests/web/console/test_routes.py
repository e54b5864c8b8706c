"""Every page by every role, and what is refused before a page is reached."""

import re
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path

import httpx
import pytest
import redis

from anpr.console.auth import permissions
from anpr.console.http.app import PAGES, Page
from anpr.contracts import topics
from anpr.contracts.moments import LAST_MOMENT
from anpr.local.processes import wait_until
from anpr.local.valkey_server import ValkeyServer
from tests.support.audit import lines_in
from tests.support.strategies import a_read, an_alert, an_entry
from tests.support.web_console import PASSWORD, USERS, ConsoleServer, csrf_of, running_console

OF_ROLE = {"officer": "ann", "supervisor": "sam", "operator": "olga", "auditor": "aud"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsoleServer]:
    folder = tmp_path_factory.mktemp("console")
    with ValkeyServer(folder / "valkey") as valkey, running_console(folder / "console", valkey.url) as console_server:
        console_server.report_all_is_well()
        console_server.alert("AB12CDE")
        yield console_server


@pytest.fixture(scope="module")
def browsers(server: ConsoleServer) -> Iterator[dict[str, httpx.Client]]:
    with ExitStack() as stack:
        yield {name: stack.enter_context(server.browser(name)) for name in USERS if name != "kate"}


def status_of(browser: httpx.Client, page: Page, csrf: str) -> int:
    path = page.path.replace("{incident_id}", "none").replace("{command}", "claim").replace("{alert_id}", "none")
    if page.method == "POST":
        return browser.post(path, data={"csrf": csrf}).status_code
    with browser.stream("GET", path) as answer:
        return answer.status_code


@pytest.mark.parametrize("role", permissions.ROLES)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.method} {page.path}")
def test_every_page_is_open_only_to_roles_with_its_permission(
    browsers: dict[str, httpx.Client], page: Page, role: str
) -> None:
    if page.path == "/sign-out":
        return  # ends the session: tried below
    browser = browsers[OF_ROLE[role]]
    session = csrf_of(browser, permissions.first_page(role))
    status = status_of(browser, page, session)
    # Only roles with the permission learn whether there is such an incident.
    if page.path == "/" != permissions.first_page(role):
        assert browser.get("/").headers["Location"] == permissions.first_page(role), "not a page that says no"
    else:
        assert (status == 403) == (not permissions.has_permission(role, page.permission)), status
    assert status < 500


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.method} {page.path}")
def test_no_page_answers_without_a_session(server: ConsoleServer, page: Page) -> None:
    with server.browser() as browser:
        assert status_of(browser, page, "") in {303, 401, 403}


@pytest.mark.parametrize("page", [page for page in PAGES if page.method == "POST"], ids=lambda page: page.path)
def test_a_forged_form_does_nothing(browsers: dict[str, httpx.Client], page: Page) -> None:
    ann = browsers["ann"]
    assert status_of(ann, page, "forged") == 403
    right = csrf_of(ann, "/")
    elsewhere = ann.post(page.path, data={"csrf": right}, headers={"Origin": "https://elsewhere.example"})
    assert elsewhere.status_code == 403
    assert ann.get("/").status_code == 200, "and the session continues"


def test_the_address_of_a_button_is_a_page_that_says_so(browsers: dict[str, httpx.Client]) -> None:
    answer = browsers["ann"].get("/sign-out")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert "This address belongs to a button. Press the button on its page." in answer.text


def test_a_user_of_another_site_cannot_sign_in(server: ConsoleServer) -> None:
    with server.browser() as browser:
        answer = browser.post("/sign-in", data={"name": "kate", "password": PASSWORD})
        assert answer.status_code == 403
        assert "does not have access to this site" in answer.text
        assert browser.get("/").status_code == 303


def test_a_wrong_password_is_refused_and_guessing_is_limited(server: ConsoleServer) -> None:
    with server.browser() as browser:
        answers = [browser.post("/sign-in", data={"name": "bob", "password": "wrong" * 4}) for _ in range(6)]
        assert [answer.status_code for answer in answers] == [401] * 5 + [429]
        assert int(answers[-1].headers["Retry-After"]) > 0
        right = browser.post("/sign-in", data={"name": "bob", "password": PASSWORD})
        assert right.status_code == 429, "also with the right one"
    with server.browser("cleo") as other:
        assert other.get("/").status_code == 200, "others sign in from the same address"


def test_an_auditor_sees_which_names_were_tried_how_often_and_from_where_but_no_password(
    tmp_path: Path, redis_url: str
) -> None:
    with (
        running_console(tmp_path / "console", redis_url) as console_server,
        console_server.browser() as guesser,
        console_server.browser("aud") as aud,
    ):
        assert "None." in aud.get("/audit").text
        for name, times in (("dan", 1), ("sam", 7), ("in the wrong field", 3)):
            for number in range(times):
                guesser.post("/sign-in", data={"name": name, "password": f"guess number {number}"})
        guesser.post("/sign-in", data={"name": "kate", "password": PASSWORD})

        def failed() -> list[str]:
            rows = re.findall(r"<tr.*?</tr>", aud.get("/audit").text.partition('id="records"')[0])[1:]
            return [" ".join(re.findall(r">([^<]*)</td>", row)[1:]) for row in rows]

        expected = [
            "kate 127.0.0.1 1 right password, but for another site",
            "unknown name 127.0.0.1 4 wrong name or password",
            "sam 127.0.0.1 7 refused: too many attempts",
        ]
        assert wait_until(lambda: failed() == expected, 60), failed()
        for secret in (b"guess number", b"wrong field"):
            assert secret not in b"".join(lines_in(console_server.audit_folder / "console-1"))
            assert secret.decode() not in aud.get("/audit").text
        console_server.clock_offset += timedelta(minutes=6)
        guesser.post("/sign-in", data={"name": "sam", "password": "guess number 8"})
        expected.insert(0, "sam 127.0.0.1 1 refused: too many attempts")  # the limit goes by the real time
        assert wait_until(lambda: failed() == expected, 60), failed()


def test_sign_in_needs_the_consoles_own_form(server: ConsoleServer) -> None:
    with server.browser() as browser:
        data = {"name": "ann", "password": PASSWORD}
        assert browser.post("/sign-in", data=data, headers={"Origin": "null"}).status_code == 403


def test_sign_out_ends_every_session_of_the_user_and_no_other(server: ConsoleServer) -> None:
    with server.browser("cleo") as here, server.browser("cleo") as there, server.browser("ann") as ann:
        assert there.get("/").status_code == 200
        here.post("/sign-out", data={"csrf": csrf_of(here, "/")})
        assert here.get("/").status_code == 303
        assert wait_until(lambda: there.get("/").status_code == 303, 60)
        assert ann.get("/").status_code == 200


def test_every_answer_carries_the_security_headers(browsers: dict[str, httpx.Client]) -> None:
    for path in ("/", "/sign-in", "/static/board.js", "/none", "/badge/1.svg"):
        headers = browsers["ann"].get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"


def test_the_page_has_no_inline_script_or_style(browsers: dict[str, httpx.Client]) -> None:
    text = browsers["ann"].get("/").text
    assert "AB12CDE" in text
    for forbidden in ("<style", " style=", "onclick=", "<script>"):
        assert forbidden not in text


def test_the_stream_begins_where_the_page_ends(server: ConsoleServer, browsers: dict[str, httpx.Client]) -> None:
    page = browsers["ann"].get("/").text
    after = page.split('data-after="')[1].split('"')[0]
    alert = server.alert("NEW1")
    with browsers["ann"].stream("GET", f"/board/stream?after={after}") as stream:
        lines = stream.iter_lines()
        data = next(line for line in lines if line.startswith("data: ") and alert.alert_id in line)
    assert "NEW1" in data
    with browsers["ann"].stream("GET", "/board/stream", headers={"Last-Event-ID": "another-3"}) as stream:
        assert next(line for line in stream.iter_lines() if line.startswith("event: ")) == "event: resync"


def test_redis_holds_no_token(server: ConsoleServer, browsers: dict[str, httpx.Client]) -> None:
    token = browsers["ann"].cookies["anpr_calais"]
    client = redis.Redis.from_url(server.settings.sites["calais"].redis)
    keys = list(client.scan_iter("anpr:console:*"))
    client.close()
    assert keys
    assert not any(token.encode() in key for key in keys)


def test_a_console_that_is_still_reading_back_gives_no_state_until_it_has_waited_long_enough(
    server: ConsoleServer, browsers: dict[str, httpx.Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.console.service.board_thread, "has_read_all", lambda: False)
    monkeypatch.setattr(server.console.parts.board, "_has_read_back", False)
    monkeypatch.setattr(server.console.parts.board, "_read_back_until", time.monotonic() + 3600)
    assert browsers["ann"].get("/board/state").status_code == 503
    monkeypatch.setattr(server.console.parts.board, "_read_back_until", time.monotonic())
    assert browsers["ann"].get("/board/state").status_code == 200, "one port may be out of reach"


def test_an_officer_sees_the_last_day_of_an_entry_as_a_day(
    server: ConsoleServer, browsers: dict[str, httpx.Client]
) -> None:
    now = server.clock()
    listed = {"AB1 DAY": (date(2099, 12, 31), "31 December 2099"), "AB2 DAY": (None, "31 December 9999 23:59 UTC")}
    for plate, (last_day, words) in listed.items():
        entry = an_entry(plate, plate=plate, valid_until=LAST_MOMENT, valid_until_day=last_day)
        alert = an_alert(a_read(plate, plate=plate, captured_at=now), entry, raised_at=now)
        server.put(topics.of_alert(alert), alert)
        assert wait_until(lambda name=alert.alert_id: name in server.shown(), 60)  # type: ignore[misc]
        assert f"<dt>Listed until</dt><dd>{words}</dd>" in browsers["ann"].get(f"/incident/{alert.alert_id}").text
