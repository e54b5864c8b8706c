"""The API of a history over TLS: who is answered, who is refused, and what is left of it in the audit and the log."""

import asyncio
import json
import logging
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from msgspec.structs import replace

from anpr.audit.chain import AuditChain
from anpr.audit.segments import segments
from anpr.contracts.look_up import LookUp, SightingsAnswer
from anpr.contracts.sightings_api import (
    MOST_REQUEST_BYTES,
    OPENAPI_PATH,
    SIGHTINGS_PATH,
    Problem,
    openapi,
    request_of,
)
from anpr.history.api import application
from anpr.history.api.sightings_server import SightingsServer
from anpr.history.database import HistoryUnavailableError
from anpr.look_up.ask_sites import ask_sites
from anpr.runtime import http_connections, metrics
from anpr.runtime.clock import system_clock
from anpr.runtime.errors import InputError, UnavailableError
from anpr.runtime.settings import Settings
from anpr.runtime.site_tokens import SiteTokensFile
from tests.support.sites import Certificates, a_look_up, a_sighting, certificates, exchange_tokens, sites

SITE = "calais"
PLATE = "AB12CDE"
NOW = datetime(2026, 11, 29, tzinfo=UTC)


class Search:
    """Finds one sighting, unless a test wants something else of it."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.asked: list[bool] = []
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    def find(self, look_up: LookUp, *, covert: bool) -> SightingsAnswer:
        self.asked.append(covert)
        self.may_go_on.wait(60)
        if self.error:
            raise self.error
        return SightingsAnswer(site=SITE, sightings=(a_sighting(SITE, look_up.plate),))


class Running:
    """A server of Calais, and what it answers and writes with."""

    def __init__(self, folder: Path, tls: Certificates, **history: Any) -> None:
        self.search = Search()
        self.settings = sites(
            folder,
            {SITE: "https://127.0.0.1:1", "dover": "", "coquelles": ""},
            tls.authority,
            certificate=str(tls.certificate),
            certificate_key=str(tls.key),
            **history,
        )
        self.tokens = SiteTokensFile(self.settings.tokens_file)
        self.audit_folder = folder / "audit"
        self.chain = AuditChain(self.audit_folder, SITE, "history-1", system_clock)
        self.server = SightingsServer(self.settings, SITE, self.search, self.chain, port=0)
        self.client = httpx.Client(
            base_url=self.server.address, verify=ssl.create_default_context(cafile=tls.authority), timeout=60
        )

    def post(self, token: str, look_up: LookUp | None = None, *, covert: bool = False) -> httpx.Response:
        body = msgspec.json.encode(request_of(look_up or a_look_up(), covert=covert))
        return self.client.post(SIGHTINGS_PATH, content=body, headers={"Authorization": f"Bearer {token}"})

    def post_fields(self, **fields: str) -> httpx.Response:
        """Post a look-up with these fields, whatever they are."""
        body = msgspec.to_builtins(request_of(a_look_up(), covert=False)) | fields
        headers = {"Authorization": f"Bearer {self.token()}"}
        return self.client.post(SIGHTINGS_PATH, content=msgspec.json.encode(body), headers=headers)

    def token(self, asking: str = "dover") -> str:
        return self.tokens.make(asking, SITE, NOW)

    def audited(self) -> list[dict[str, Any]]:
        lines = (line for file in segments(self.audit_folder) for line in file.read_bytes().splitlines())
        return [msgspec.json.decode(line)["record"]["event"] for line in lines]


@contextmanager
def running(folder: Path, tls: Certificates, **history: Any) -> Iterator[Running]:
    it = Running(folder, tls, **history)
    try:
        with it.server, it.client:
            yield it
    finally:
        it.chain.close()


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def calais(tmp_path: Path, tls: Certificates) -> Iterator[Running]:
    with running(tmp_path, tls) as it:
        yield it


def problem(response: httpx.Response) -> Problem:
    assert response.headers["Content-Type"] == "application/problem+json"
    return msgspec.json.decode(response.content, type=Problem)


def refusal(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, problem(response).code


# --- who is answered ---


def authorization(it: Running, kind: str) -> dict[str, str]:
    """Return the headers of somebody with this kind of token."""
    mine = it.token()
    removed = it.tokens.tokens().accepted[-1].token_id
    headers = {
        "none": "",
        "another scheme": f"Basic {mine}",
        "removed": f"Bearer {mine}",
        "of another answering site": f"Bearer {it.tokens.make('dover', 'coquelles', NOW)}",
        "of the right form": "Bearer dover.calais." + "A" * 43,
        "cut off": f"Bearer {mine[:-1]}",
        "not text": "Bearer \xff",
        "accepted": f"Bearer {mine}",
        "of the own site": f"Bearer {it.token(SITE)}",
    }
    if kind == "removed":
        it.tokens.remove(removed)
    return {"Authorization": headers[kind]} if headers[kind] else {}


@pytest.mark.parametrize("route", [("POST", SIGHTINGS_PATH), ("GET", OPENAPI_PATH)], ids=lambda route: route[1])
@pytest.mark.parametrize(
    ("kind", "asking"),
    [
        ("none", ""),
        ("another scheme", ""),
        ("removed", ""),
        ("of another answering site", ""),
        ("of the right form", ""),
        ("cut off", ""),
        ("not text", ""),
        ("accepted", "dover"),
        ("of the own site", SITE),
    ],
)
def test_every_route_answers_those_with_an_accepted_token_and_nobody_else(
    calais: Running, route: tuple[str, str], kind: str, asking: str
) -> None:
    body = msgspec.json.encode(request_of(a_look_up(asking_site=asking or "dover"), covert=False))
    headers = [(b"Authorization", value.encode("latin-1")) for value in authorization(calais, kind).values()]
    response = calais.client.request(*route, content=body, headers=headers)
    if asking:
        assert response.status_code == 200
        return
    assert refusal(response) == (401, "site-token-rejected")
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert not calais.search.asked
    (event,) = calais.audited()
    assert event["details"] == {"code": "site-token-rejected", "asking_site": "", "address": "127.0.0.1"}


def test_a_token_is_rotated_without_a_look_up_that_fails(calais: Running) -> None:
    old, new = calais.token(), calais.token()
    for token in (old, new):
        assert calais.post(token).status_code == 200
    calais.tokens.remove(calais.tokens.tokens().accepted[0].token_id)
    assert refusal(calais.post(old)) == (401, "site-token-rejected")
    assert calais.post(new).status_code == 200


def test_a_look_up_is_in_the_audit_chain_before_it_is_answered(calais: Running) -> None:
    response = calais.post(calais.token())
    assert msgspec.json.decode(response.content, type=SightingsAnswer).sightings[0].read.plate == PLATE
    assert response.headers["Cache-Control"] == "no-store"
    (event,) = calais.audited()
    assert (event["operation"], event["plate"], event["details"]["asking_site"]) == ("disclosure", PLATE, "dover")


def test_another_site_can_ask_neither_in_the_name_of_this_one_nor_for_anything_covert(calais: Running) -> None:
    dover, own = calais.token(), calais.token(SITE)
    for response in (calais.post(dover, a_look_up(asking_site=SITE), covert=True), calais.post(dover, covert=True)):
        assert refusal(response) == (403, "look-up-other-site")
    assert not calais.search.asked
    assert calais.post(own, a_look_up(asking_site=SITE), covert=True).status_code == 200
    assert calais.search.asked == [True]
    assert [event["what"] for event in calais.audited()] == ["look-up refused", "look-up refused", "look-up"]


# --- who is refused ---


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "look-up-malformed"),
        (b"{", 400, "look-up-malformed"),
        (b'{"plate": "\xff"}', 400, "look-up-malformed"),
        (b" " * (MOST_REQUEST_BYTES + 1), 413, "look-up-too-long"),
    ],
)
def test_what_is_no_look_up_is_refused(calais: Running, body: bytes, status: int, code: str) -> None:
    headers = {"Authorization": f"Bearer {calais.token()}"}
    assert refusal(calais.client.post(SIGHTINGS_PATH, content=body, headers=headers)) == (status, code)


@pytest.mark.parametrize(
    "field",
    [
        {"reason": ""},
        {"reason": " \t\u00a0"},
        {"reason": "\u200b\u200d"},
        {"reason": "x" * 501},
        {"since": "2026-12-01T00:00:00Z"},
        {"since": "today"},
    ],
)
def test_a_reason_that_is_blank_or_a_period_that_is_none_is_refused(calais: Running, field: dict[str, str]) -> None:
    assert refusal(calais.post_fields(**field)) == (400, "look-up-malformed")
    assert calais.search.asked == []


def test_a_period_to_the_edge_of_the_calendar_is_answered(calais: Running) -> None:
    period = {"since": "0001-01-01T00:00:00+14:00", "until": "9999-12-31T23:59:59-12:00"}
    assert calais.post_fields(**period).status_code == 200
    event = calais.audited()[-1]
    assert event["details"]["since"] == "0001-01-01T00:00:00+00:00"
    assert event["details"]["until"].startswith("9999-12-31T23:59:59")


def test_a_field_that_this_version_does_not_know_is_refused(calais: Running) -> None:
    fields = msgspec.to_builtins(request_of(a_look_up(), covert=False)) | {"not_before_dawn": True}
    headers = {"Authorization": f"Bearer {calais.token()}"}
    response = calais.client.post(SIGHTINGS_PATH, content=msgspec.json.encode(fields), headers=headers)
    assert refusal(response) == (400, "look-up-malformed")
    assert PLATE not in response.text


def test_a_body_that_does_not_come_is_given_up(calais: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(application, "BODY_SECONDS", 0.05)
    address = httpx.URL(calais.server.address)
    context = ssl.create_default_context(cafile=calais.settings.history.authority)
    with closing(HTTPSConnection(address.host, address.port, context=context, timeout=60)) as connection:
        headers = {"Authorization": f"Bearer {calais.token()}", "Content-Length": "100"}
        connection.request("POST", SIGHTINGS_PATH, body=b"{", headers=headers)
        assert connection.getresponse().status == 400


@pytest.mark.parametrize("sent", [b"", b"\x16\x03\x01\x02\x00\x01\x00"], ids=["nothing", "half a greeting"])
def test_a_connection_on_which_tls_does_not_begin_is_given_up(
    calais: Running, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(http_connections, "HANDSHAKE_SECONDS", 1.0)
    address = httpx.URL(calais.server.address)
    token = calais.token()
    with socket.create_connection((address.host, address.port), timeout=30) as silent:
        silent.sendall(sent)
        context = ssl.create_default_context(cafile=calais.settings.history.authority)
        with closing(HTTPSConnection(address.host, address.port, context=context, timeout=60)) as connection:
            connection.connect()
            assert silent.recv(1) == b"", "long before a minute has gone by"
            headers = {"Authorization": f"Bearer {token}"}
            connection.request("GET", OPENAPI_PATH, headers=headers)
            assert connection.getresponse().status == 200, "one on which it has begun goes on"


def test_a_question_that_the_search_refuses_says_why(calais: Running) -> None:
    calais.search.error = InputError("look-up-unusable", "A partial plate needs three letters.", "Enter more")
    response = calais.post(calais.token(), a_look_up("A*"))
    assert refusal(response) == (422, "look-up-unusable")
    assert problem(response).title == "A partial plate needs three letters."


def test_a_limit_says_when_to_ask_again(tmp_path: Path, tls: Certificates) -> None:
    with running(tmp_path, tls, officer_look_ups_per_minute=1) as calais:
        token = calais.token()
        assert calais.post(token).status_code == 200
        response = calais.post(token)
        assert refusal(response) == (429, "look-up-too-often")
        assert 0 < int(response.headers["Retry-After"]) <= 60
        assert calais.post(token, a_look_up(user="bob")).status_code == 200


def test_a_look_up_that_cannot_be_recorded_is_refused(calais: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise UnavailableError("audit-unavailable", "/secret/path: no space left", "free space")

    monkeypatch.setattr(calais.chain, "append", full)
    response = calais.post(calais.token())
    assert refusal(response) == (503, "audit-unavailable")
    assert "/secret" not in response.text
    assert PLATE not in response.text


def test_a_store_that_cannot_be_read_is_said(calais: Running) -> None:
    calais.search.error = HistoryUnavailableError("the history file /secret/20261129.sqlite: disk I/O error")
    response = calais.post(calais.token())
    assert refusal(response) == (503, "history-store")
    assert "/secret" not in response.text


def test_a_fault_of_the_program_says_nothing_of_it(calais: Running) -> None:
    calais.search.error = RuntimeError(PLATE)
    response = calais.post(calais.token())
    assert response.status_code == 500
    assert PLATE not in response.text


def test_a_file_of_tokens_that_others_may_read_accepts_nobody_and_health_says_so(calais: Running) -> None:
    token = calais.token()
    assert calais.server.why_not_ready() == []
    calais.tokens.path.chmod(0o644)
    response = calais.post(token)
    assert refusal(response) == (503, "site-tokens-unusable")
    assert str(calais.tokens.path) not in response.text
    assert any("other users of this machine may read" in one for one in calais.server.why_not_ready())


def test_there_are_no_other_routes(calais: Running) -> None:
    headers = {"Authorization": f"Bearer {calais.token()}"}
    for method, path in (
        ("GET", SIGHTINGS_PATH),
        ("GET", "/"),
        ("POST", OPENAPI_PATH),
        ("GET", f"{SIGHTINGS_PATH}/{PLATE}"),
    ):
        assert calais.client.request(method, path, headers=headers).status_code in {404, 405}


# --- how it is served ---


def test_it_publishes_what_it_understands(calais: Running) -> None:
    response = calais.client.get(OPENAPI_PATH, headers={"Authorization": f"Bearer {calais.token()}"})
    assert response.json() == json.loads(msgspec.json.encode(openapi()))


def test_nothing_older_than_tls_1_2_is_accepted(calais: Running, tls: Certificates) -> None:
    old = ssl.create_default_context(cafile=tls.authority)
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    assert httpx.get(calais.server.address, verify=old).status_code == 404
    context = calais.server._server.config.ssl
    assert context is not None
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2


def test_no_plate_and_no_token_is_in_a_log_line(calais: Running, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    token = calais.token()
    replies = [calais.post(token), calais.post(token, covert=True), calais.post(token[:-1])]
    calais.search.error = RuntimeError(PLATE)
    replies.append(calais.post(token))
    calais.search.error = HistoryUnavailableError("no answer")
    replies.append(calais.post(token))
    assert [response.status_code for response in replies] == [200, 403, 401, 500, 503]
    ours = [r for r in caplog.records if not r.name.startswith(("httpx", "httpcore"))]
    assert ours
    for record in ours:
        written = f"{record.getMessage()} {record.args}"
        assert PLATE not in written
        assert token.rpartition(".")[2][:-1] not in written


def test_what_is_being_answered_is_answered_before_it_stops(tmp_path: Path, tls: Certificates) -> None:
    replies: list[int] = []
    with running(tmp_path, tls) as calais:
        token = calais.token()
        calais.search.may_go_on.clear()
        asker = threading.Thread(target=lambda: replies.append(calais.post(token).status_code))
        asker.start()
        while not calais.search.asked:
            asker.join(0.01)
        stopping = threading.Thread(target=calais.server.__exit__)
        stopping.start()
        calais.search.may_go_on.set()
        stopping.join()
        asker.join()
        assert replies == [200]
        assert calais.server.why_not_ready() == ["look-ups are not answered: their server has stopped"]


def test_each_request_is_counted_by_who_asked_and_what_came_of_it(calais: Running) -> None:
    def count(asking: str, result: str) -> float:
        return float(metrics.HISTORY_LOOK_UPS.labels(SITE, asking, result)._value.get())

    before = count("dover", "answered"), count(metrics.OTHER, "site-token-rejected")
    calais.post(calais.token())
    calais.post("unknown")
    assert (count("dover", "answered"), count(metrics.OTHER, "site-token-rejected")) == (before[0] + 1, before[1] + 1)


def test_the_client_of_another_site_gets_the_answer(calais: Running) -> None:
    settings: Settings = replace(
        calais.settings,
        sites={SITE: replace(calais.settings.sites[SITE], history=calais.server.address)},
    )
    exchange_tokens(settings, "dover", SITE)
    (reply,) = asyncio.run(ask_sites(settings, a_look_up(), sites=settings.sites, covert=True))
    assert reply.answer == SightingsAnswer(site=SITE, sightings=(a_sighting(SITE),))
    assert calais.search.asked == [False]


def test_on_loopback_it_answers_without_tls_too(tmp_path: Path) -> None:
    settings = sites(tmp_path, {SITE: "http://127.0.0.1:1"})
    chain = AuditChain(tmp_path / "audit", SITE, "history-1", system_clock)
    with closing(chain), SightingsServer(settings, SITE, Search(), chain, port=0) as server:
        there = replace(settings, sites={SITE: replace(settings.sites[SITE], history=server.address)})
        exchange_tokens(there, "dover", SITE)
        (reply,) = asyncio.run(ask_sites(there, a_look_up(), sites=there.sites))
        assert reply.answer is not None
        assert server.why_not_ready() == []


# --- what it refuses to start with ---


def start(folder: Path, address: str, **history: Any) -> SightingsServer:
    chain = AuditChain(folder / "audit", SITE, "history-1", system_clock)
    try:
        return SightingsServer(sites(folder, {SITE: address}, **history), SITE, Search(), chain)
    finally:
        chain.close()


def test_https_without_a_certificate_and_an_address_that_is_taken_are_errors(
    tmp_path: Path, tls: Certificates, calais: Running
) -> None:
    with pytest.raises(InputError) as missing:
        start(tmp_path / "1", "https://127.0.0.1:1")
    assert missing.value.code == "history-without-certificate"
    with pytest.raises(InputError) as unusable:
        start(tmp_path / "2", "https://127.0.0.1:1", certificate=str(tls.authority))
    assert unusable.value.code == "certificate-unusable"
    with pytest.raises(UnavailableError) as taken:
        start(tmp_path / "3", calais.server.address.replace("https:", "http:"))
    assert taken.value.code == "listening-address"
