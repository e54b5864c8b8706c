"""A console goes on for its officers whatever strangers send, and believes nobody about who they are."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis

from anpr.console.http import form_bounds
from anpr.local.processes import wait_until
from anpr.local.valkey_server import ValkeyServer
from anpr.runtime import http_connections
from anpr.runtime.http_connections import MOST_OF_AN_ADDRESS
from anpr.runtime.settings import ConsoleSettings
from tests.support.web_console import PASSWORD, ConsoleServer, csrf_of, running_console

SOON = 30  # lines: a stream has three every two seconds
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def server(tmp_path: Path, redis_url: str) -> Iterator[ConsoleServer]:
    with running_console(tmp_path / "console", redis_url) as running:
        yield running


def connect(server: ConsoleServer) -> socket.socket:
    address = urlsplit(server.url)
    return socket.create_connection((address.hostname or "", address.port or 0), timeout=60)


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("multipart/form-data; boundary=BB; charset=punycode", b"--BB\r\n" + b"a" * 250_000, 415),
        (f"{FORM}; charset=punycode", b"name=ann", 415),
        ("text/plain", b"name=ann", 415),
        ("", b"name=ann", 415),
        (FORM, b"name=" + b"a" * 9_000, 413),
        (FORM, b"&" * 64, 413),
    ],
)
def test_a_form_that_no_page_sends_is_refused_unread(
    server: ConsoleServer, content_type: str, body: bytes, status: int
) -> None:
    with server.browser() as stranger:
        answer = stranger.post("/sign-in", content=body, headers={"Content-Type": content_type})
        assert answer.status_code == status


POST = b"POST /sign-in HTTP/1.1\r\nHost: x\r\nOrigin: http://x\r\nContent-Type: %b\r\n" % FORM.encode()
GET = b"GET /sign-in HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize(
    "sent",
    [
        POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + GET + b"\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 40_000,
        GET + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\nzz\r\n",
        GET + b"".join(b"X%d: x\r\n" % number for number in range(200)) + b"\r\n",
        GET + b"Host: y\r\n\r\n",
        GET + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    ],
    ids=["two lengths", "no chunk", "tiny chunks", "chunks of a page", "many headers", "two hosts", "two numbers"],
)
def test_a_request_that_no_browser_sends_is_refused_at_once_and_not_logged(
    server: ConsoleServer, sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with connect(server) as stranger:
        stranger.sendall(sent)
        received = b""
        while more := _received(stranger):
            received += more
    assert received.startswith(b"HTTP/1.1 400 ")
    assert received.count(b"HTTP/1.1 ") == 1, "nothing behind it is taken for a request"
    assert not [record for record in caplog.records if record.name.startswith(("uvicorn", "asyncio"))]


@pytest.mark.parametrize("origin", ["http://[", "", "null", "http://elsewhere.example"])
def test_an_origin_that_is_none_is_refused(server: ConsoleServer, origin: str) -> None:
    with server.browser() as stranger:
        headers = {"Origin": origin} | ({"Host": ""} if not origin else {})
        data = {"name": "ann", "password": PASSWORD}
        assert stranger.post("/sign-in", data=data, headers=headers).status_code == 403
        assert stranger.get("/").status_code == 303, "nobody is signed in"


def test_an_answer_that_nobody_reads_is_given_up(server: ConsoleServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_connections, "READ_SECONDS", 0.3)
    with socket.socket() as lazy:
        lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        lazy.settimeout(60)
        address = urlsplit(server.url)
        lazy.connect((address.hostname, address.port))
        lazy.sendall((GET + b"\r\n") * 4000)  # some megabytes of answers, more than the system holds

        def is_given_up() -> bool:
            return not len(server.connections)

        assert wait_until(is_given_up, 60)


def test_a_form_of_a_signed_in_user_is_bounded_too(server: ConsoleServer) -> None:
    with server.browser("ann") as ann:
        for body, status in ((b"csrf=" + b"a" * 270_000, 413), (b"&".join([b"a=b"] * 65), 413), (b"%ff=\xff", 403)):
            answer = ann.post("/sign-out", content=body, headers={"Content-Type": FORM})
            assert answer.status_code == status
        assert ann.get("/").status_code == 200


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-A: ",
        b"GET /sign-in HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nX-",
        b"POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: %b\r\nContent-Length: 100\r\n\r\nname=" % FORM.encode(),
    ],
    ids=["nothing", "half a head", "half a second head", "half a form"],
)
def test_a_request_that_does_not_come_in_time_is_ended(
    server: ConsoleServer, sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_connections, "HEAD_SECONDS", 0.3)
    monkeypatch.setattr(form_bounds, "BODY_SECONDS", 0.3)
    with connect(server) as silent:
        silent.sendall(sent)
        received = b""
        while more := _received(silent):
            received += more
    assert (b"408" in received) == sent.startswith(b"POST")


def _received(sock: socket.socket) -> bytes:
    try:
        return sock.recv(65_536)
    except ConnectionResetError:
        return b""


def test_silent_connections_take_nothing_from_officers(server: ConsoleServer) -> None:
    with ExitStack() as stack, server.browser("ann") as ann:
        lines = stack.enter_context(ann.stream("GET", "/board/stream?after=none")).iter_lines()
        assert next(line for line in lines if line.startswith("event: ")) == "event: resync"
        for _ in range(2 * MOST_OF_AN_ADDRESS):
            stack.enter_context(connect(server))
        with server.browser("bob") as bob:
            assert bob.get("/").status_code == 200, "a new browser"
        assert len(server.connections) <= MOST_OF_AN_ADDRESS
        assert "event: heartbeat" in islice(lines, SOON), "an open page"


def status_with(server: ConsoleServer, token: str) -> int:
    """Return the status of the board for a browser that has this token."""
    with server.browser() as browser:
        return browser.get("/", headers={"Cookie": f"anpr_calais={token}"}).status_code


def guess(server: ConsoleServer, times: int) -> list[int]:
    with server.browser() as guesser:
        return [
            guesser.post(
                "/sign-in",
                data={"name": "ann", "password": "wrong guess"},
                headers={"X-Forwarded-For": f"10.0.0.{number}", "X-Forwarded-Proto": "https"},
            ).status_code
            for number in range(times)
        ]


def test_only_a_configured_proxy_is_believed_about_who_asks(tmp_path: Path) -> None:
    behind_proxy = ConsoleSettings(trusted_proxies=("127.0.0.1",))
    with ValkeyServer(tmp_path / "valkey") as valkey:
        with running_console(tmp_path / "one", valkey.url) as server:
            assert guess(server, 7) == [401] * 5 + [429] * 2
        with running_console(tmp_path / "two", valkey.url, behind_proxy, site="coquelles") as server:
            assert guess(server, 7) == [401] * 7


def test_browsers_that_come_by_tls_are_told_to_come_by_nothing_else(tmp_path: Path, redis_url: str) -> None:
    by_proxy = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "10.0.0.1"}
    behind_proxy = ConsoleSettings(trusted_proxies=("127.0.0.1",))
    with running_console(tmp_path / "console", redis_url, behind_proxy) as server, server.browser() as browser:
        by_tls = browser.get("/sign-in", headers=by_proxy)
        assert by_tls.headers["strict-transport-security"] == "max-age=31536000"
        assert "strict-transport-security" not in browser.get("/sign-in").headers


def test_a_new_sign_in_ends_the_old_session_of_that_browser_and_no_other(server: ConsoleServer) -> None:
    with server.browser("ann") as ann, server.browser("ann") as elsewhere:
        old = ann.cookies["anpr_calais"]
        assert ann.post("/sign-in", data={"name": "bob", "password": PASSWORD}).status_code == 303
        assert status_with(server, old) == 303
        assert ann.get("/").status_code == elsewhere.get("/").status_code == 200


@pytest.mark.parametrize("how", ["a replica without its home", "no right to delete"])
def test_a_sign_out_holds_while_redis_reads_and_refuses_writes(tmp_path: Path, how: str) -> None:
    with (
        ValkeyServer(tmp_path / "valkey") as valkey,
        running_console(tmp_path / "console", valkey.url) as server,
        redis.Redis.from_url(valkey.url) as client,
        server.browser("ann") as ann,
        server.browser("bob") as bob,
    ):
        old = {name: browser.cookies["anpr_calais"] for name, browser in (("ann", ann), ("bob", bob))}
        tokens = {name: csrf_of(browser, "/") for name, browser in (("ann", ann), ("bob", bob))}
        if how == "no right to delete":
            client.execute_command("ACL", "SETUSER", "default", "-del", "-unlink")
        else:
            client.execute_command("REPLICAOF", "127.0.0.1", "1")
        assert ann.post("/sign-out", data={"csrf": tokens["ann"], "with": "keep"}).status_code == 303
        client.execute_command("CONFIG", "SET", "replica-serve-stale-data", "yes")
        assert not wait_until(lambda: status_with(server, old["ann"]) == 200, 3)
        assert bob.get("/").status_code == 200
        client.execute_command("REPLICAOF", "NO", "ONE")
        client.execute_command("ACL", "SETUSER", "default", "+del", "+unlink")
        # What is spoilt in Redis for one user holds up no other.
        client.set("anpr:console:sessions-of:ann", "no set of keys")
        assert bob.post("/sign-out", data={"csrf": tokens["bob"], "with": "keep"}).status_code == 303
        assert wait_until(lambda: not client.exists("anpr:console:sessions-of:bob"), 60)
        for token in old.values():
            assert status_with(server, token) == 303


def test_a_spoilt_session_signs_nobody_in_and_fails_no_page(server: ConsoleServer, redis_url: str) -> None:
    with server.browser("ann") as ann, redis.Redis.from_url(redis_url) as client:
        for value in (b"\xff\xfe", b"{", b"[" * 100_000):
            for key in client.keys("anpr:console:session:*"):
                client.set(key, value)
            assert wait_until(lambda: ann.get("/").status_code == 303, 60)
            assert ann.get("/sign-in").status_code == 200
