"""Covert incidents: people with the permission see that they are covert; nobody else gets one through them."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from anpr.contracts import topics
from tests.support.web_console import ConsoleServer, csrf_of, running_console
from tests.web.console.test_acting import actions, do, text_of
from tests.web.console.test_audit_page import look_ups_shown


@pytest.fixture
def server(tmp_path: Path, redis_url: str) -> Iterator[ConsoleServer]:
    with running_console(tmp_path / "console", redis_url) as console_server:
        yield console_server


def offered(page: httpx.Response) -> set[str]:
    return set(re.findall(r'<option value="(\w+)"', page.text))


def test_a_covert_incident_can_be_handed_only_to_a_colleague_with_covert_permission(server: ConsoleServer) -> None:
    alert = server.alert("SECRET1", handling="covert")
    with server.browser("cleo") as cleo, server.browser("carl") as carl:
        do(cleo, alert.alert_id, "claim")
        refused = do(cleo, alert.alert_id, "hand-over", to="ann")
        assert refused.status_code == 409
        assert (
            "Select a colleague at this site with covert permission, because this incident is covert." in refused.text
        )
        csrf = csrf_of(cleo, "/")
        asked = cleo.post("/sign-out", data={"csrf": csrf})
        assert offered(asked) == {"carl"}
        assert "only to a colleague with covert permission" in asked.text
        refused = cleo.post("/sign-out", data={"csrf": csrf, "with": "hand-over", "to": "ann"})
        assert refused.status_code == 409
        assert [action.kind for action in actions(server, topics.covert_actions("calais"))] == ["claimed"]
        assert cleo.post("/sign-out", data={"csrf": csrf, "with": "hand-over", "to": "carl"}).status_code == 303
        assert "Claimed by you (1)" in carl.get("/shift").text


def test_without_a_permitted_colleague_none_is_offered(server: ConsoleServer) -> None:
    server.users.remove("carl")
    alert = server.alert("SECRET1", handling="covert")
    with server.browser("cleo") as cleo:
        do(cleo, alert.alert_id, "claim")
        asked = cleo.post("/sign-out", data={"csrf": csrf_of(cleo, "/")})
    assert not offered(asked)
    assert "there is none at this site" in asked.text


def test_a_partly_covert_incident_is_handed_only_between_people_with_covert_permission(server: ConsoleServer) -> None:
    server.alert("MIXED1", handling="covert")
    alert = server.alert("MIXED1")
    with server.browser("ann") as ann, server.browser("cleo") as cleo:
        do(cleo, alert.alert_id, "claim")
        assert do(cleo, alert.alert_id, "hand-over", to="ann").status_code == 409
        do(cleo, alert.alert_id, "release")
        do(ann, alert.alert_id, "claim")
        asked = ann.post("/sign-out", data={"csrf": csrf_of(ann, "/")})
        assert offered(asked) >= {"bob", "carl"}, "to others it is as any"
        assert "covert" not in asked.text.lower()
        assert do(ann, alert.alert_id, "hand-over", to="bob").status_code == 200


def test_every_page_marks_covert_incidents_for_people_with_the_permission(server: ConsoleServer) -> None:
    covert, plain = server.alert("SECRET1", handling="covert"), server.alert("AB12CDE")
    server.alert("MIXED1", handling="covert")
    mixed = server.alert("MIXED1")
    with server.browser("cleo") as cleo, server.browser("ann") as ann:
        for page in (cleo.get("/"), cleo.get(f"/incident/{covert.alert_id}")):
            assert "Covert: do not tell the driver, or colleagues without covert permission" in text_of(page)
        mixed_page = cleo.get(f"/incident/{mixed.alert_id}")
        assert "Partly covert" in text_of(mixed_page)
        assert "Covert why MIXED1" in text_of(mixed_page), "and which part"
        assert "SECRET1 Covert" in text_of(cleo.get("/shift"))
        assert "MIXED1 Partly covert" in text_of(cleo.get("/shift"))
        assert "overt" not in cleo.get(f"/incident/{plain.alert_id}").text
        for path in ("/", "/shift", "/board/state", f"/incident/{mixed.alert_id}"):
            assert "overt" not in ann.get(path).text, "nobody else learns of it"


def test_the_audit_page_shows_others_nothing_of_covert_look_ups(server: ConsoleServer) -> None:
    covert = server.alert("SECRET1", handling="covert")
    mixed_covert, mixed = server.alert("MIXED1", handling="covert"), server.alert("MIXED1")
    with server.browser("cleo") as cleo, server.browser("aud") as aud, server.browser("cora") as cora:
        assert cleo.get(f"/incident/{covert.alert_id}").status_code == 200
        cleo.get(f"/incident/{mixed_covert.alert_id}")
        do(cleo, covert.alert_id, "claim")
        seen = look_ups_shown(aud)
        assert ("incident", "MIXED1", mixed.alert_id[:8]) in seen
        assert not [line for line in seen if "SECRET1" in line or "covert" in line[0]]
        all_seen = look_ups_shown(cora)
        assert ("incident (covert)", "SECRET1", covert.alert_id[:8]) in all_seen
        assert ("claimed (covert)", "SECRET1", covert.alert_id[:8]) in all_seen
        assert ("incident", "MIXED1", mixed.alert_id[:8]) in all_seen
