"""What the doctor makes of what it is told."""

import socket
import threading
import time
from collections.abc import Iterable, Sequence
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from anpr.contracts.events import Generation, Status, encode
from anpr.doctor import kafka_checks, machine_checks, redis_checks
from anpr.doctor.examine import examine
from anpr.doctor.findings import Finding, well
from anpr.doctor.list_checks import InRedis
from anpr.kafka.consumer_group import GroupState, LastRecord
from anpr.local.free_ports import free_ports
from anpr.runtime.health import Health, HealthServer
from anpr.watchlist.store.manifest import Manifest
from tests.support.strategies import NOON, generation

SILENT_AFTER = timedelta(seconds=5)


def wrong(findings: Iterable[Finding]) -> list[str]:
    return [finding.says for finding in findings if finding.state == "wrong"]


def a_word(seconds_ago: float = 0.5, ahead: float = 0, **fields: object) -> LastRecord:
    """Return the last word of a matcher, as the broker took it so many seconds before noon."""
    arrived_at = NOON - timedelta(seconds=seconds_ago)
    at = arrived_at + timedelta(seconds=ahead)
    given: dict[str, object] = {"generation": generation(7), "entries": 3, "list_confirmed_at": at}
    given |= {"matcher": "one", "at": at, "started_at": at}
    status = Status(site="calais", **(given | fields))  # type: ignore[arg-type]
    return LastRecord(arrived_at, encode(status))


def redis_with(number: int, epoch: int = 1, seconds_ago: float = 3600) -> InRedis:
    """Return a Redis that has a generation in force since so many seconds before noon."""
    held = Generation(epoch=epoch, number=number)
    return InRedis(Manifest(held, NOON - timedelta(seconds=seconds_ago), "id", {}))


SAME, EMPTY, NEWER = redis_with(7), InRedis(None), redis_with(8, seconds_ago=60)
OLD = NOON - timedelta(minutes=2)


def last_records(word: LastRecord | None, there: InRedis | None = SAME) -> list[str]:
    return wrong(kafka_checks.judge_last_words("calais", [word] if word else [], there, NOON, SILENT_AFTER))


def test_a_matcher_that_spoke_just_now_with_a_list_of_today_is_well() -> None:
    assert last_records(a_word()) == []


@pytest.mark.parametrize(
    ("word", "says"),
    [
        (a_word(seconds_ago=300), "one has been silent for 5 minutes"),
        (a_word(ahead=-7), "the clock of one's machine is 7.0 s behind the broker's"),
        (a_word(ahead=7), "the clock of one's machine is 7.0 s ahead of the broker's"),
        (a_word(seconds_ago=-9), "this machine's clock is 9.0 s behind the server's"),
        (a_word(generation=None), "one has no list"),
        (a_word(list_confirmed_at=None), "not confirmed by Redis since its start"),
        (a_word(list_confirmed_at=NOON - timedelta(hours=3)), "not confirmed by Redis for 3 hours"),
        (LastRecord(NOON, b"?"), "is no status"),
    ],
)
def test_what_is_wrong_with_a_matcher_is_said(word: LastRecord, says: str) -> None:
    assert says in "; ".join(last_records(word))


def test_of_several_matchers_each_that_is_down_is_named_with_its_age_unless_it_was_stopped_in_order() -> None:
    said = [
        a_word(seconds_ago=2400, matcher="died long ago"),
        a_word(seconds_ago=900, matcher="went home", has_left=True, partitions=0),
        a_word(seconds_ago=20, matcher="has just died"),
        a_word(matcher="works"),
    ]
    found = list(kafka_checks.judge_last_words("calais", said, SAME, NOON, SILENT_AFTER))
    assert wrong(found) == [
        "died long ago has been silent for 40 minutes",
        "has just died has been silent for 20 seconds",
    ]
    assert "anpr match --site calais --name has just died" in found[2].next_step
    assert [one.says for one in found if one.state == "note"] == ["went home was stopped in order 15 minutes ago"]
    assert found[-1].state == "well"


@pytest.mark.parametrize(
    ("word", "there", "says", "next_step"),
    [
        (a_word(generation=None), SAME, "no index builder writes on its machine", "anpr index --site calais"),
        (a_word(), NEWER, "Redis has the newer 1.8 for 60 seconds", "anpr index --site calais"),
        (a_word(), redis_with(1, epoch=2, seconds_ago=60), "Redis has the newer 2.1", "anpr index --site calais"),
        (a_word(list_confirmed_at=OLD), SAME, "not confirmed by Redis for 2 minutes", "anpr index --site calais"),
        (a_word(list_confirmed_at=OLD), None, "not confirmed by Redis for 2 minutes", "what is said of its Redis"),
        (a_word(), redis_with(6), "Redis has the older 1.6", "apply again what was lost"),
        (
            a_word(list_confirmed_at=OLD),
            EMPTY,
            "Redis holds no list any more",
            "put ALL of them back before anything",
        ),
        (a_word(generation=None), EMPTY, "and Redis holds none", "what is said of its Redis"),
    ],
)
def test_what_keeps_a_matcher_from_the_list_in_force_is_told_with_what_mends_it(
    word: LastRecord, there: InRedis | None, says: str, next_step: str
) -> None:
    (finding,) = kafka_checks.judge_last_word("calais", word, there, NOON, SILENT_AFTER)
    assert finding.state == "wrong"
    assert says in finding.says
    assert next_step in finding.next_step


def test_a_list_that_was_changed_a_moment_ago_may_still_be_on_its_way() -> None:
    assert last_records(a_word(), redis_with(8, seconds_ago=1)) == []


def test_a_site_where_nobody_matches_or_too_slowly_is_named_with_what_waits() -> None:
    assert wrong(kafka_checks.judge_group("calais", GroupState(0, 12))) == ["none runs; 12 reads wait"]
    assert wrong(kafka_checks.judge_group("calais", GroupState(2, 5000))) == ["2 run; 5,000 reads wait"]
    assert wrong(kafka_checks.judge_group("calais", GroupState(2, 3))) == []


HOME = {"role": "master", "aof_enabled": 1, "maxmemory": 0, "maxmemory_policy": "noeviction"}
REPLICA = {**HOME, "role": "slave", "master_link_status": "up"}


@pytest.mark.parametrize(
    ("info", "is_home", "says"),
    [
        (HOME, True, []),
        (REPLICA, False, []),
        (REPLICA, True, ["the home of the watchlist is a replica: lists cannot be changed"]),
        (HOME, False, ["is no replica: it never gets the lists that are put in force"]),
        ({**REPLICA, "master_link_status": "down"}, False, ["the link to its home is down: its list ages"]),
    ],
)
def test_the_first_sites_redis_is_home_and_the_others_follow_it(
    info: dict[str, object], is_home: bool, says: list[str]
) -> None:
    assert wrong(redis_checks.judge_role("x", info, is_home=is_home)) == says


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({}, ""),
        ({"maxmemory_policy": "allkeys-lru"}, ""),  # without a bound nothing is thrown away
        ({"maxmemory": 100, "maxmemory_policy": "allkeys-lru"}, "may throw lists away: maxmemory-policy allkeys-lru"),
        ({"maxmemory": 100, "used_memory": 95}, "more than 90 % of maxmemory is used: new lists will be refused"),
        ({"aof_last_write_status": "err"}, "could not write its append-only file"),
    ],
)
def test_a_redis_that_could_lose_lists_is_named(changed: dict[str, object], says: str) -> None:
    assert "; ".join(wrong(redis_checks.judge_memory("x", HOME | changed))) == says


def test_an_empty_redis_is_no_list_and_the_age_of_one_is_said() -> None:
    (empty,) = redis_checks.judge_list("x", None, NOON)
    assert (empty.says, empty.code) == ("no list is in force there", "watchlist-emptied")
    assert "put ALL of them back before anything else" in empty.next_step
    head = Manifest(generation(7), NOON - timedelta(hours=3), "id", {})
    (finding,) = redis_checks.judge_list("x", head, NOON)
    assert "generation 1.7 with 0 entries in 0 lists, 3 hours old" in finding.says


def test_no_password_of_an_address_is_shown() -> None:
    assert redis_checks.shown("rediss://user:secret@host:6379/0") == "rediss://host:6379/0"
    assert redis_checks.shown("redis://host:6379/0") == "redis://host:6379/0"
    assert "secret" not in redis_checks.shown("redis:/user:secret@host"), "also of one that is not written right"


def test_a_folder_is_tried_where_it_is_or_would_be_made(tmp_path: Path) -> None:
    assert wrong(machine_checks.check_folder("state_dir", tmp_path / "a" / "b", least_free_bytes=1)) == []
    assert not (tmp_path / "a").exists()
    assert list(tmp_path.iterdir()) == []
    (says,) = wrong(machine_checks.check_folder("state_dir", tmp_path, least_free_bytes=10**18))
    assert says.endswith("MB are free")
    assert "cannot be written" in wrong(machine_checks.check_folder("state_dir", Path("/proc/1")))[0]


class Stranger(BaseHTTPRequestHandler):
    """Some other program on the port of the metrics."""

    def do_GET(self) -> None:
        self.send_error(404)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name that http.server gives it
        pass


def test_whoever_listens_at_the_port_of_the_metrics_is_asked() -> None:
    (port,) = free_ports(1)
    (nobody,) = machine_checks.check_port("127.0.0.1", port)
    assert nobody.state == "note"
    missing: list[str] = []
    with HealthServer(Health("test", lambda: missing), "127.0.0.1", port):
        assert wrong(machine_checks.check_port("0.0.0.0", port)) == []  # noqa: S104  asked, not bound
        missing.append("no list")
        assert wrong(machine_checks.check_port("127.0.0.1", port)) == ["/readyz: no list"]
    with HTTPServer(("127.0.0.1", port), Stranger) as stranger:
        threading.Thread(target=stranger.serve_forever, daemon=True).start()
        assert wrong(machine_checks.check_port("127.0.0.1", port)) == ["another program listens there"]
        stranger.shutdown()


def test_a_check_that_hangs_or_fails_is_a_finding_and_costs_the_others_nothing() -> None:
    release = threading.Event()

    def hang() -> Sequence[Finding]:
        release.wait(30)
        return []

    def fail() -> Sequence[Finding]:
        raise ValueError("AB12CDE")

    began = time.monotonic()
    found = list(
        examine(
            [("a", "1", hang), ("b", "2", fail), ("c", "3", lambda: [well("c", "3", "fine")])], longest_seconds=0.5
        )
    )
    release.set()
    assert time.monotonic() - began < 10
    says = {finding.check: finding.says for finding in found}
    assert says["a"] == "no answer within 0 s"
    assert says["b"].startswith("the check failed: ValueError at ")
    assert "AB12CDE" not in says["b"]
    assert says["c"] == "fine"


def test_a_host_that_swallows_everything_is_not_waited_for_long() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        (finding,) = machine_checks.check_port("127.0.0.1", mute.getsockname()[1])
    assert finding.state == "wrong"
