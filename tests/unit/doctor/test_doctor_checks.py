"""What the doctor reports about the answers that it gets."""

import socket
import threading
import time
from collections.abc import Iterable, Sequence
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from anpr.contracts.events import Generation, Status, encode
from anpr.contracts.losses import Losses
from anpr.doctor import kafka_checks, machine_checks, redis_checks
from anpr.doctor.examine import examine
from anpr.doctor.findings import Finding, well
from anpr.doctor.list_checks import RedisAnswer
from anpr.doctor.loss_checks import judge_losses
from anpr.kafka.consumer_group import GroupState, LastRecord
from anpr.local.free_ports import free_ports
from anpr.runtime.health import Health, HealthServer
from anpr.watchlist.store.manifest import Manifest
from tests.support.losses import a_loss, acknowledged
from tests.support.strategies import NOON, generation

SILENT_AFTER = timedelta(seconds=5)


def wrong(findings: Iterable[Finding]) -> list[str]:
    return [finding.message for finding in findings if finding.state == "wrong"]


def a_status(seconds_ago: float = 0.5, ahead: float = 0, **fields: object) -> LastRecord:
    """Return the last status of a matcher, which the broker got so many seconds before noon."""
    arrived_at = NOON - timedelta(seconds=seconds_ago)
    at = arrived_at + timedelta(seconds=ahead)
    given: dict[str, object] = {"generation": generation(7), "entries": 3, "list_confirmed_at": at}
    given |= {"matcher": "one", "at": at, "started_at": at}
    status = Status(site="calais", **(given | fields))  # type: ignore[arg-type]
    return LastRecord(arrived_at, encode(status))


def redis_with(number: int, epoch: int = 1, seconds_ago: float = 3600) -> RedisAnswer:
    """Return the answer of a Redis with a generation applied so many seconds before noon."""
    active = Generation(epoch=epoch, number=number)
    return RedisAnswer(Manifest(active, NOON - timedelta(seconds=seconds_ago), "id", {}))


SAME, EMPTY, NEWER = redis_with(7), RedisAnswer(None), redis_with(8, seconds_ago=60)
OLD = NOON - timedelta(minutes=2)


def faults(status: LastRecord, answer: RedisAnswer | None = SAME) -> list[str]:
    return wrong(kafka_checks.judge_statuses("calais", [status], answer, NOON, SILENT_AFTER))


def test_a_matcher_with_a_recent_status_and_the_active_list_is_well() -> None:
    assert faults(a_status()) == []


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (a_status(seconds_ago=300), "one has been silent for 5 minutes"),
        (a_status(ahead=-7), "the clock of one's machine is 7.0 s behind the broker's"),
        (a_status(ahead=7), "the clock of one's machine is 7.0 s ahead of the broker's"),
        (a_status(seconds_ago=-9), "this machine's clock is 9.0 s behind the server's"),
        (a_status(generation=None), "one has no list"),
        (a_status(list_confirmed_at=None), "not confirmed by Redis since its start"),
        (a_status(list_confirmed_at=NOON - timedelta(hours=3)), "not confirmed by Redis for 3 hours"),
        (LastRecord(NOON, b"?"), "is not a status"),
    ],
)
def test_each_fault_of_a_matcher_is_reported(status: LastRecord, message: str) -> None:
    assert message in "; ".join(faults(status))


def test_a_camera_that_uses_read_ids_again_is_noted_and_is_no_fault() -> None:
    status = a_status(reused_read_ids={"lane-1": 2, "": 1, **{f"rare-{number}": 0 for number in range(9)}})
    found = list(kafka_checks.judge_statuses("calais", [status], SAME, NOON, SILENT_AFTER))
    assert wrong(found) == []
    notes = [finding.message for finding in found if finding.state == "note"]
    assert notes[0].startswith("camera lane-1 has used the read ids of 2 reads again since one started")
    assert notes[1].startswith("camera without a name has used")
    assert len(notes) == 5


def test_each_matcher_that_is_down_is_named_with_its_silence_unless_it_was_stopped_in_order() -> None:
    statuses = [
        a_status(seconds_ago=2400, matcher="died long ago"),
        a_status(seconds_ago=900, matcher="went home", has_left=True, partitions=0),
        a_status(seconds_ago=20, matcher="has just died"),
        a_status(matcher="works"),
    ]
    found = list(kafka_checks.judge_statuses("calais", statuses, SAME, NOON, SILENT_AFTER))
    assert wrong(found) == [
        "died long ago has been silent for 40 minutes",
        "has just died has been silent for 20 seconds",
    ]
    assert "anpr match --site calais --name has just died" in found[2].next_step
    assert [finding.message for finding in found if finding.state == "note"] == [
        "went home was stopped in order 15 minutes ago"
    ]
    assert found[-1].state == "well"


@pytest.mark.parametrize(
    ("status", "answer", "message", "next_step"),
    [
        (a_status(generation=None), SAME, "no index builder writes on its machine", "anpr index --site calais"),
        (a_status(), NEWER, "Redis has had the newer 1.8 for 60 seconds", "anpr index --site calais"),
        (
            a_status(),
            redis_with(1, epoch=2, seconds_ago=60),
            "Redis has had the newer 2.1",
            "anpr index --site calais",
        ),
        (a_status(list_confirmed_at=OLD), SAME, "not confirmed by Redis for 2 minutes", "anpr index --site calais"),
        (
            a_status(list_confirmed_at=OLD),
            None,
            "not confirmed by Redis for 2 minutes",
            "the findings for this site's Redis",
        ),
        (a_status(), redis_with(6), "Redis has the older 1.6", "apply the lost changes again"),
        (
            a_status(list_confirmed_at=OLD),
            EMPTY,
            "Redis holds no list any more",
            "restore ALL of them before anything",
        ),
        (a_status(generation=None), EMPTY, "and Redis holds none", "the findings for this site's Redis"),
    ],
)
def test_the_reason_why_a_matcher_lacks_the_active_list_is_reported_with_the_next_step(
    status: LastRecord, answer: RedisAnswer | None, message: str, next_step: str
) -> None:
    (finding,) = kafka_checks.judge_status("calais", status, answer, NOON, SILENT_AFTER)
    assert finding.state == "wrong"
    assert message in finding.message
    assert next_step in finding.next_step


def test_a_list_that_changed_a_moment_ago_is_not_yet_missed() -> None:
    assert faults(a_status(), redis_with(8, seconds_ago=1)) == []


def test_a_site_without_matchers_or_with_a_long_lag_is_reported() -> None:
    assert wrong(kafka_checks.judge_group("calais", GroupState(0, 12))) == ["none running; 12 reads wait"]
    assert wrong(kafka_checks.judge_group("calais", GroupState(2, 5000))) == ["2 running; 5,000 reads wait"]
    assert wrong(kafka_checks.judge_group("calais", GroupState(2, 3))) == []


HOME = {"role": "master", "aof_enabled": 1, "maxmemory": 0, "maxmemory_policy": "noeviction"}
REPLICA = {**HOME, "role": "slave", "master_link_status": "up"}


@pytest.mark.parametrize(
    ("info", "is_home", "says"),
    [
        (HOME, True, []),
        (REPLICA, False, []),
        (REPLICA, True, ["the home of the watchlist is a replica, so lists cannot be changed"]),
        (HOME, False, ["is not a replica, so it never gets the lists"]),
        ({**REPLICA, "master_link_status": "down"}, False, ["the link to its home is down, so it gets no changes"]),
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
        ({"maxmemory_policy": "allkeys-lru"}, ""),  # without a limit nothing is evicted
        ({"maxmemory": 100, "maxmemory_policy": "allkeys-lru"}, "may evict lists: maxmemory-policy allkeys-lru"),
        ({"maxmemory": 100, "used_memory": 95}, "uses more than 90 % of maxmemory: it will refuse new lists"),
        ({"aof_last_write_status": "err"}, "could not write its append-only file"),
    ],
)
def test_a_redis_that_could_lose_lists_is_named(changed: dict[str, object], says: str) -> None:
    assert "; ".join(wrong(redis_checks.judge_memory("x", HOME | changed))) == says


def test_an_empty_redis_is_reported_and_so_is_the_age_of_a_list() -> None:
    (empty,) = redis_checks.judge_redis_list("x", None, NOON)
    assert (empty.message, empty.code) == ("it holds no list", "watchlist-emptied")
    assert "restore ALL of them before anything else" in empty.next_step
    manifest = Manifest(generation(7), NOON - timedelta(hours=3), "id", {})
    (finding,) = redis_checks.judge_redis_list("x", manifest, NOON)
    assert "generation 1.7 with 0 entries in 0 lists, 3 hours old" in finding.message


def test_no_password_of_an_address_is_shown() -> None:
    assert redis_checks.shown("rediss://user:secret@host:6379/0") == "rediss://host:6379/0"
    assert redis_checks.shown("redis://host:6379/0") == "redis://host:6379/0"
    assert "secret" not in redis_checks.shown("redis:/user:secret@host"), "even if the address is malformed"


def test_a_folder_is_checked_where_it_is_or_would_be_created(tmp_path: Path) -> None:
    assert wrong(machine_checks.check_folder("state_dir", tmp_path / "a" / "b", min_free_bytes=1)) == []
    assert not (tmp_path / "a").exists()
    assert list(tmp_path.iterdir()) == []
    (says,) = wrong(machine_checks.check_folder("state_dir", tmp_path, min_free_bytes=10**18))
    assert says.endswith("MB are free")
    assert "cannot write to" in wrong(machine_checks.check_folder("state_dir", Path("/proc/1")))[0]


class Stranger(BaseHTTPRequestHandler):
    """Some other program on the port of the metrics."""

    def do_GET(self) -> None:
        self.send_error(404)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name that http.server gives it
        pass


def test_the_service_on_the_port_of_the_metrics_is_asked_for_its_health() -> None:
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


def test_a_check_that_hangs_or_fails_is_a_finding_and_does_not_delay_the_others() -> None:
    release = threading.Event()

    def hang() -> Sequence[Finding]:
        release.wait(180)
        return []

    def fail() -> Sequence[Finding]:
        raise ValueError("AB12CDE")

    began = time.monotonic()
    found = list(
        examine([("a", "1", hang), ("b", "2", fail), ("c", "3", lambda: [well("c", "3", "fine")])], max_seconds=2)
    )
    release.set()
    assert time.monotonic() - began < 90
    messages = {finding.check: finding.message for finding in found}
    assert messages["a"] == "no answer within 2 s"
    assert messages["b"].startswith("the check failed: ValueError at ")
    assert "AB12CDE" not in messages["b"]
    assert messages["c"] == "fine"


def test_a_host_that_never_answers_is_not_waited_for_long() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        (finding,) = machine_checks.check_port("127.0.0.1", silent.getsockname()[1])
    assert finding.state == "wrong"


def test_deleted_reads_are_wrong_until_a_person_acknowledges_them() -> None:
    losses = Losses(timedelta(days=7))
    for loss in (a_loss(2, 4, 6), a_loss(0, 0, 0), a_loss(1, 3, None)):
        losses.add(loss)
    finding = judge_losses("calais", losses.by_site(NOON)["calais"])
    assert (finding.state, finding.code, bool(finding.next_step)) == ("wrong", "reads-lost", True)
    assert "at least 4 reads were deleted before they were checked" in finding.message
    assert "between 2026-03-01 12:00:00 UTC and 2026-03-01 12:08:00 UTC" in finding.message
    assert "partition 2, offsets 4 to 6" in finding.message
    assert "partition 1, offsets 3 to ?" in finding.message
    for loss in (a_loss(2, 4, 6), a_loss(0, 0, 0), a_loss(1, 3, None)):
        losses.acknowledge(acknowledged(loss))
    assert judge_losses("calais", losses.by_site(NOON)["calais"]).state == "well"


def test_of_many_losses_the_oldest_are_named_and_the_others_counted() -> None:
    losses = Losses(timedelta(days=7))
    for first in range(0, 50, 10):
        losses.add(a_loss(0, first, first + 1))
    message = judge_losses("calais", losses.by_site(NOON)["calais"]).message
    assert message.count("offsets") == 3
    assert message.endswith("and 2 more)")
