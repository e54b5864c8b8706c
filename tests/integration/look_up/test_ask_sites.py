"""A look-up asks every site over TLS. A site that gives no answer is named with the reason, and the others answer."""

import asyncio
import logging
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from anpr.contracts.look_up import FoundSighting, SightingsAnswer
from anpr.contracts.moments import LAST_MOMENT
from anpr.contracts.sightings_api import SIGHTINGS_PATH, Problem, SightingsRequest
from anpr.look_up import no_answer
from anpr.look_up.ask_sites import ask_sites
from anpr.look_up.site_reply import SiteReply
from anpr.runtime.errors import InputError
from anpr.runtime.settings import Settings
from tests.support.sites import Certificates, a_look_up, a_sighting, certificates, exchange_tokens, served, sites
from tests.support.strategies import a_read, an_alert, an_entry

asked: list[tuple[str, SightingsRequest]] = []


def site_that(answer: Response | Callable[[], Awaitable[Response]]) -> ASGIApp:
    """Return a site that notes what it is asked. `answer` is its response, or a function that waits for it."""

    async def respond(request: Request) -> Response:
        body = msgspec.json.decode(await request.body(), type=SightingsRequest)
        asked.append((request.headers["Authorization"], body))
        return answer if isinstance(answer, Response) else await answer()

    return Starlette(routes=[Route(SIGHTINGS_PATH, respond, methods=["POST"])])


def answering(site: str, *sightings: FoundSighting) -> Response:
    return Response(msgspec.json.encode(SightingsAnswer(site=site, sightings=sightings)))


# In a field that nobody knows.
DEEP = b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
ALERT = an_alert(a_read(captured_at=LAST_MOMENT), an_entry())


def refusing(status: int, code: str = "some-code", **headers: str) -> Response:
    problem = Problem(title="a text\nof the other site", status=status, code=code)
    return Response(msgspec.json.encode(problem), status, headers)


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates(tmp_path_factory.mktemp("tls"))


@pytest.fixture(autouse=True)
def stack() -> Iterator[ExitStack]:
    asked.clear()
    with ExitStack() as opened:
        yield opened


def ask(settings: Settings, **given: Any) -> list[SiteReply]:
    return asyncio.run(ask_sites(settings, a_look_up(), **({"sites": settings.sites} | given)))


def problem_of(settings: Settings, site: str = "calais") -> str:
    """Return why this site did not answer, while another one did."""
    replies = {reply.site: reply for reply in ask(settings)}
    assert replies["dover"].answer == SightingsAnswer(site="dover"), replies
    assert replies[site].answer is None
    return replies[site].problem


def beside_dover(stack: ExitStack, tls: Certificates, tmp_path: Path, address: str, **history: Any) -> Settings:
    """Return settings of Calais at an address and of Dover, whose history answers."""
    dover = stack.enter_context(served(site_that(answering("dover")), tls))
    settings = sites(tmp_path, {"calais": address, "dover": dover}, tls.authority, **history)
    exchange_tokens(settings, "dover", "calais", "dover")
    return settings


def test_all_sites_are_asked_and_reply_in_the_order_of_the_configuration(
    stack: ExitStack, tls: Certificates, tmp_path: Path
) -> None:
    names = ("dunkerque", "calais", "dover")
    addresses = {name: stack.enter_context(served(site_that(answering(name)), tls)) for name in names}
    settings = sites(tmp_path, addresses, tls.authority)
    exchange_tokens(settings, "dover", *names)
    assert ask(settings) == [SiteReply(name, SightingsAnswer(site=name)) for name in names]
    assert [reply.site for reply in ask(settings, sites={"dover", "dunkerque"})] == ["dunkerque", "dover"]
    assert len({token for token, _ in asked}) == 3, "each site gets a token of its own"


def test_nothing_of_a_look_up_is_logged(
    stack: ExitStack, tls: Certificates, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    calais = stack.enter_context(served(site_that(answering("calais")), tls))
    settings = sites(tmp_path, {"calais": calais}, tls.authority)
    exchange_tokens(settings, "dover", "calais")
    ask(settings)
    assert not [record for record in caplog.records if record.name.startswith(("httpx", "httpcore", "anpr"))]


def test_only_the_askers_own_site_is_asked_for_covert_alerts(
    stack: ExitStack, tls: Certificates, tmp_path: Path
) -> None:
    calais = stack.enter_context(served(site_that(answering("calais")), tls))
    settings = beside_dover(stack, tls, tmp_path, calais)
    ask(settings, covert=True)
    ask(settings, covert=False)
    assert sorted((token.split(".")[1], request.covert) for token, request in asked) == [
        ("calais", False),
        ("calais", False),
        ("dover", False),
        ("dover", True),
    ]


@pytest.mark.parametrize(
    ("response", "words"),
    [
        (refusing(400), "does not know this question; it runs another version of this program"),
        (refusing(401), "does not accept this site's token; it may have been removed there"),
        (refusing(403), "refuses: this site's token is for another site"),
        (refusing(404), "does not know this question; it runs another version of this program"),
        (refusing(422), "refuses the question: a text of the other site"),
        (refusing(429, **{"Retry-After": "12"}), "was asked too often; ask again in 12 s"),
        (refusing(429, **{"Retry-After": "<b>"}), "was asked too often"),
        (refusing(503), "cannot answer now: its history cannot be read"),
        (refusing(503, code="audit-unavailable"), "cannot answer now: its audit cannot be written"),
        (refusing(503, code="site-tokens-unusable"), "cannot answer now: its file of tokens cannot be read"),
        (refusing(302, Location="https://elsewhere/"), "answered with the HTTP status 302"),
        (Response(b"{}"), "its answer cannot be read; the sites run different versions of this program"),
        (
            Response(b'{"site": "\xff"}'),
            "its answer cannot be read; the sites run different versions of this program",
        ),
        (answering("coquelles"), "its address in sites.toml leads to coquelles"),
        (Response(DEEP), "its answer cannot be read; the sites run different versions of this program"),
        (Response(DEEP, 503), "cannot answer now: its history cannot be read"),
        (answering("calais", a_sighting("dover")), no_answer.NOT_ITS_OWN),
        (answering("calais", a_sighting("nowhere")), no_answer.NOT_ITS_OWN),
        (answering("calais", replace(a_sighting("calais"), arrived_at=LAST_MOMENT)), no_answer.NOT_ITS_OWN),
        (answering("calais", replace(a_sighting("calais"), alerts=(ALERT,))), no_answer.NOT_ITS_OWN),
    ],
)
def test_a_site_that_refuses_or_answers_badly_is_named(
    stack: ExitStack, tls: Certificates, tmp_path: Path, response: Response, words: str
) -> None:
    calais = stack.enter_context(served(site_that(response), tls))
    assert problem_of(beside_dover(stack, tls, tmp_path, calais)) == words


def test_an_answer_without_an_end_is_cut_off(
    stack: ExitStack, tls: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("anpr.look_up.site_client.MOST_ANSWER_BYTES", 1000)
    calais = stack.enter_context(served(site_that(Response(b" " * 1001)), tls))
    assert problem_of(beside_dover(stack, tls, tmp_path, calais)) == "its answer is too long"


def test_a_site_that_is_down_is_named(stack: ExitStack, tls: Certificates, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = f"https://127.0.0.1:{closed.getsockname()[1]}"
    words = "refuses the connection; its history service may be stopped"
    assert problem_of(beside_dover(stack, tls, tmp_path, address)) == words


def test_a_site_that_is_slow_is_named_and_does_not_delay_the_others(
    stack: ExitStack, tls: Certificates, tmp_path: Path
) -> None:
    stopped = asyncio.Event()

    async def never() -> Response:
        await stopped.wait()
        return answering("calais")

    calais = stack.enter_context(served(site_that(never), tls))
    settings = beside_dover(stack, tls, tmp_path, calais, answer_within_seconds=5)
    assert problem_of(settings) == "did not answer within 5 s"


def test_a_site_whose_certificate_is_not_of_the_authority_is_named(
    stack: ExitStack, tls: Certificates, tmp_path: Path
) -> None:
    calais = stack.enter_context(served(site_that(answering("calais")), certificates(tmp_path / "other")))
    assert problem_of(beside_dover(stack, tls, tmp_path, calais)).startswith("its certificate is not accepted: ")
    assert [request.asking_site for _, request in asked] == ["dover"], "no token and no plate went to Calais"


def test_a_certificate_of_another_host_or_of_the_past_is_named(
    stack: ExitStack, tls: Certificates, tmp_path: Path
) -> None:
    past = datetime(2020, 1, 1, tzinfo=UTC)
    for name, host, ends_at in (("other-host", "calais.example", None), ("past", "127.0.0.1", past)):
        shown = certificates(tmp_path / name, host, not_after=ends_at)
        bundle = tmp_path / f"{name}.pem"
        bundle.write_bytes(tls.authority.read_bytes() + shown.authority.read_bytes())
        calais = stack.enter_context(served(site_that(answering("calais")), shown))
        settings = beside_dover(stack, Certificates(bundle, tls.certificate, tls.key), tmp_path / name, calais)
        assert problem_of(settings).startswith("its certificate is not accepted: "), name


def test_plain_http_at_an_https_address_and_the_reverse_are_named(
    stack: ExitStack, tls: Certificates, tmp_path: Path
) -> None:
    plain = stack.enter_context(served(site_that(answering("calais"))))
    settings = beside_dover(stack, tls, tmp_path, plain.replace("http:", "https:"))
    assert problem_of(settings) == "no TLS connection; another program or plain HTTP may be at its address"
    secure = stack.enter_context(served(site_that(answering("calais")), tls))
    problem = problem_of(beside_dover(stack, tls, tmp_path, secure.replace("https:", "http:")))
    assert problem in {
        "the program at its address is not a history service",
        "ended the connection before it answered",
    }


def test_a_site_without_history_or_without_a_token_is_named(
    stack: ExitStack, tls: Certificates, tmp_path: Path
) -> None:
    assert problem_of(beside_dover(stack, tls, tmp_path, "")) == "has no history service"
    settings = sites(tmp_path / "none", {"calais": "https://127.0.0.1:1"}, tls.authority)
    assert ask(settings) == [
        SiteReply("calais", None, "this machine holds no token for it; `anpr site-tokens` says how to get one")
    ]


def test_while_the_certificates_of_the_authority_are_loaded_other_work_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_going_on = threading.Event()
    load = ssl.create_default_context

    def slow(**options: Any) -> ssl.SSLContext:
        assert is_going_on.wait(10), "nothing else ran meanwhile"
        return load(**options)

    monkeypatch.setattr(ssl, "create_default_context", slow)

    async def ask_and_go_on() -> list[SiteReply]:
        asking = asyncio.create_task(ask_sites(sites(tmp_path, {"calais": ""}), a_look_up(), sites=["calais"]))
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_soon(is_going_on.set)
        return await asking

    assert [reply.problem for reply in asyncio.run(ask_and_go_on())] == ["has no history service"]


def test_an_authority_that_cannot_be_used_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate", "utf-8")
    for authority in (tmp_path / "ca.pem", tmp_path / "missing.pem"):
        with pytest.raises(InputError, match=authority.name):
            ask(sites(tmp_path, {"calais": "https://127.0.0.1:1"}, authority))
