"""Sessions end when they should, and continue while Redis is away."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any, cast

import httpx
import msgspec
import pytest
import redis
import redis.asyncio

from anpr.console.auth.sessions import LOST, Sessions, connect_sessions
from anpr.console.auth.users_file import hash_password
from anpr.console.board.stream_limit import MAX_OF_A_SESSION
from anpr.local.processes import wait_until
from anpr.local.valkey_server import ValkeyServer
from anpr.runtime.clock import system_clock
from anpr.runtime.settings import ConsoleSettings
from tests.support.plain_http import NO_CERTIFICATES
from tests.support.web_console import PASSWORD, ConsoleServer, csrf_of, running_console

SOON = 30  # lines: a stream has three every two seconds


def test_while_redis_is_away_signed_in_users_keep_working_and_nobody_can_sign_in(tmp_path: Path) -> None:
    with ValkeyServer(tmp_path / "valkey") as valkey, running_console(tmp_path / "console", valkey.url) as server:
        alert = server.alert("AB12CDE")
        with server.browser("ann") as ann, server.browser("bob") as bob, server.browser() as nobody:
            assert ann.get("/").status_code == bob.get("/").status_code == 200
            valkey.kill()
            server.clock_offset += timedelta(seconds=2)
            path = f"/incident/{alert.alert_id}"
            done = ann.post(f"{path}/claim", data={"csrf": csrf_of(ann, path)}, follow_redirects=True)
            assert "You have claimed this" in done.text
            assert "sign-in service is not available" in done.text
            refused = nobody.post("/sign-in", data={"name": "sam", "password": PASSWORD})
            assert refused.status_code == 503
            assert "Nobody can sign in at the moment" in refused.text
            assert "127.0.0.1" not in refused.text, "and nothing of what is behind"
            token = bob.cookies["anpr_calais"]
            assert bob.post("/sign-out", data={"csrf": csrf_of(bob, "/")}).status_code == 303
            valkey.start()
            server.clock_offset += timedelta(seconds=2)
            assert wait_until(lambda: ann.get("/").status_code == 200, 60), "the session outlived the restart"
            again = nobody.get("/", headers={"Cookie": f"anpr_calais={token}"})
            assert again.status_code == 303, "and the sign-out too"


def test_when_redis_comes_back_empty_officers_are_told_why_they_were_signed_out(tmp_path: Path) -> None:
    with ValkeyServer(tmp_path / "valkey") as valkey, running_console(tmp_path / "console", valkey.url) as server:
        why = "The sign-in service was restarted and has lost who was signed in."
        with server.browser("ann") as ann:
            csrf = csrf_of(ann, "/")
            assert ann.get("/board/state").status_code == 200
            with ann.stream("GET", "/board/stream") as stream:
                with redis.Redis.from_url(valkey.url) as client:
                    client.flushall()
                assert any(why in line for line in islice(stream.iter_lines(), SOON))
            server.clock_offset += timedelta(seconds=2)
            assert ann.get("/board/state").text == why
            assert why in ann.get("/", follow_redirects=True).text
            refused = ann.post("/sign-out", data={"csrf": csrf})
            assert (refused.status_code, why in refused.text) == (403, True)
        with server.browser("ann") as ann, server.browser("ann") as other:
            other.post("/sign-out", data={"csrf": csrf_of(other, "/")})
            server.clock_offset += timedelta(seconds=2)
            assert "lost" not in ann.get("/", follow_redirects=True).text, "she has signed out herself"


def test_a_session_that_redis_loses_just_after_the_first_sign_in_is_known_to_be_lost(tmp_path: Path) -> None:
    async def lose() -> str:
        client = connect_sessions(valkey.url)
        sessions = Sessions(client, timedelta(hours=1), system_clock)
        await sessions.refresh()  # Redis is empty still
        token = await sessions.begin("ann", "stamp")
        await client.flushall()
        await sessions.refresh()
        await sessions.close()
        return sessions.why_signed_out(token)

    with ValkeyServer(tmp_path / "valkey") as valkey:
        assert asyncio.run(lose()) == LOST


def test_while_redis_does_not_answer_a_page_waits_for_one_sign_out_however_many_there_are() -> None:
    class Silent:
        asked = 0

        def __getattr__(self, name: str) -> Any:
            async def ask(*_: object, **__: object) -> None:
                self.asked += 1
                raise redis.TimeoutError(name)

            return ask

    async def asked_by_a_page() -> int:
        sessions = Sessions(cast("redis.asyncio.Redis", client), timedelta(hours=1), system_clock)
        for number in range(20):
            await sessions.end(f"token {number}")
            await sessions.end_all(f"user {number}")
        before = client.asked
        assert await sessions.find("a token") is None
        return client.asked - before

    client = Silent()
    assert asyncio.run(asked_by_a_page()) == 2, "a sign-out, and the session itself"


def test_a_session_ends_with_the_shift(tmp_path: Path, redis_url: str) -> None:
    short = ConsoleSettings(session_hours=1)
    with running_console(tmp_path / "console", redis_url, short) as server, server.browser("ann") as ann:
        assert ann.get("/").status_code == 200
        server.clock_offset += timedelta(minutes=61)
        assert ann.get("/").status_code == 303
        assert ann.get("/board/state").status_code == 401


@pytest.mark.parametrize("step", [timedelta(days=400), timedelta(minutes=-50)], ids=["forward", "back"])
def test_a_session_lasts_as_long_as_ever_when_somebody_sets_the_clock(
    tmp_path: Path, redis_url: str, step: timedelta
) -> None:
    short = ConsoleSettings(session_hours=1)
    with running_console(tmp_path / "console", redis_url, short) as server, server.browser("ann") as ann:
        server.clock_set_by = step
        server.clock_offset += timedelta(minutes=59)
        assert ann.get("/").status_code == 200
        server.clock_offset += timedelta(minutes=2)
        assert ann.get("/").status_code == 303
        assert ann.get("/").status_code == 303, "and does not begin again"


def test_a_sign_out_holds_after_the_clock_was_set_back(tmp_path: Path, redis_url: str) -> None:
    with running_console(tmp_path / "console", redis_url) as server, server.browser("ann") as ann:
        token = csrf_of(ann, "/shift")
        cookies = dict(ann.cookies)
        server.clock_set_by = timedelta(hours=-1)
        assert ann.post("/sign-out", data={"csrf": token, "with": "keep"}).headers["location"] == "/sign-in"
        with httpx.Client(base_url=server.url, cookies=cookies, verify=NO_CERTIFICATES) as thief:
            assert thief.get("/shift").status_code == 303
            server.clock_offset += timedelta(seconds=2)
            assert thief.get("/shift").status_code == 303


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"password_hash": hash_password("another horse battery")}, id="password"),
        pytest.param({"password_hash": hash_password(PASSWORD)}, id="the same password once more"),
        pytest.param({"role": "operator"}, id="role"),
        pytest.param({"sites": ("coquelles",)}, id="sites"),
        pytest.param({"covert": True}, id="right to what is covert"),
        pytest.param(None, id="taken out"),
    ],
)
def test_a_user_whose_line_in_the_file_changes_is_signed_out_everywhere(
    tmp_path: Path, redis_url: str, changed: dict[str, Any] | None
) -> None:
    with (
        running_console(tmp_path / "console", redis_url) as server,
        server.browser("ann") as ann,
        server.browser("bob") as bob,
        ann.stream("GET", "/board/stream?after=none") as stream,
    ):
        csrf = csrf_of(ann, "/")
        lines = stream.iter_lines()
        assert next(line for line in lines if line.startswith("event: ")) == "event: resync"
        if changed is None:
            server.users.remove("ann")
        else:
            server.users.save(msgspec.structs.replace(server.users.users()["ann"], **changed))
        assert "event: signed-out" in islice(lines, SOON), "the page that is open"
        assert ann.get("/board/state").status_code == 401, "what it asks then"
        assert ann.get("/").headers["location"] == "/sign-in", "the page when it is loaded again"
        refused = ann.post("/sign-out", data={"csrf": csrf})
        assert (refused.status_code, "You are signed out." in refused.text) == (403, True), "a form that was open"
        assert bob.get("/").status_code == 200, "nobody else"


def test_a_new_password_ends_the_sessions_even_while_redis_is_away(tmp_path: Path) -> None:
    with (
        ValkeyServer(tmp_path / "valkey") as valkey,
        running_console(tmp_path / "console", valkey.url) as server,
        server.browser("ann") as ann,
    ):
        assert ann.get("/").status_code == 200
        valkey.kill()
        ann_now = server.users.users()["ann"]
        server.users.save(msgspec.structs.replace(ann_now, password_hash=hash_password("another horse battery")))
        assert ann.get("/").status_code == 303


def test_an_open_stream_says_that_its_session_has_ended(tmp_path: Path, redis_url: str) -> None:
    with (
        running_console(tmp_path / "console", redis_url) as server,
        server.browser("ann") as ann,
        server.browser("ann") as elsewhere,
        ann.stream("GET", "/board/stream?after=none") as stream,
    ):
        lines = stream.iter_lines()
        assert next(line for line in lines if line.startswith("event: ")) == "event: resync"
        elsewhere.post("/sign-out", data={"csrf": csrf_of(elsewhere, "/")})
        assert "event: signed-out" in islice(lines, SOON)


def test_a_session_has_only_so_many_streams_and_the_oldest_ends_with_the_reason(
    tmp_path: Path, redis_url: str
) -> None:
    with (
        running_console(tmp_path / "console", redis_url) as server,
        server.browser("ann") as ann,
        server.browser("ann") as ann_elsewhere,
        ExitStack() as stack,
    ):

        def opened(browser: httpx.Client) -> Iterator[str]:
            lines = stack.enter_context(browser.stream("GET", "/board/stream?after=none")).iter_lines()
            assert next(line for line in lines if line.startswith("event: ")) == "event: resync"
            return lines

        elsewhere = opened(ann_elsewhere)
        streams = [opened(ann) for _ in range(MAX_OF_A_SESSION + 2)]
        for ended in streams[:2]:
            assert "event: too-many" in islice(ended, SOON)
            assert next(ended, "") == "data: {}", "and it ends"
            assert not "".join(ended)
        for going_on in (streams[2], streams[-1], elsewhere):
            assert "event: heartbeat" in islice(going_on, SOON)


def guess(server: ConsoleServer, times: int) -> list[int]:
    with server.browser() as guesser:
        return [
            guesser.post("/sign-in", data={"name": "ann", "password": f"wrong guess {n}"}).status_code
            for n in range(times)
        ]


def test_guessing_is_limited_over_all_consoles_and_by_each_while_redis_is_away(tmp_path: Path) -> None:
    with (
        ValkeyServer(tmp_path / "valkey") as valkey,
        running_console(tmp_path / "one", valkey.url) as one,
        running_console(tmp_path / "two", valkey.url, site="coquelles", broker=one.broker) as two,
    ):
        assert guess(one, 3) == [401, 401, 401]
        assert guess(two, 3) == [401, 401, 429]
        with redis.Redis.from_url(valkey.url) as client:
            kept = client.keys("anpr:console:attempts:*")
            assert all(0 < client.pttl(key) <= 300_000 for key in kept), "after five minutes it may be tried again"
            client.delete(*kept)
        assert guess(one, 1) == [401]
        valkey.kill()
        assert guess(one, 3) == [401, 429, 429], "it has counted four before"


def test_successful_sign_ins_do_not_count_towards_the_limit(tmp_path: Path, redis_url: str) -> None:
    with running_console(tmp_path / "console", redis_url) as server:
        for _ in range(7):
            with server.browser("bob") as bob:
                assert bob.get("/").status_code == 200


def test_guesses_made_at_the_same_time_all_count(tmp_path: Path) -> None:
    with (
        ValkeyServer(tmp_path / "valkey") as valkey,
        running_console(tmp_path / "console", valkey.url) as server,
        ThreadPoolExecutor(12) as pool,
    ):
        answers = [status for statuses in pool.map(lambda _: guess(server, 1), range(12)) for status in statuses]
    assert sorted(answers) == [401] * 5 + [429] * 7


def test_sign_out_at_one_console_ends_the_session_at_every_other(tmp_path: Path, redis_url: str) -> None:
    with (
        running_console(tmp_path / "one", redis_url) as one,
        running_console(tmp_path / "two", redis_url, broker=one.broker) as two,
        one.browser("cleo") as here,
        two.browser("cleo") as there,
        there.stream("GET", "/board/stream?after=none") as stream,
    ):
        assert there.get("/").status_code == 200
        lines = stream.iter_lines()
        assert next(line for line in lines if line.startswith("event: ")) == "event: resync"
        assert here.post("/sign-out", data={"csrf": csrf_of(here, "/")}).status_code == 303
        assert "event: signed-out" in islice(lines, SOON), "a page that is open there says so"
        assert there.get("/").status_code == 303
