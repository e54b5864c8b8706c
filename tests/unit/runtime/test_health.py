"""/metrics, /livez and /readyz as Prometheus and a supervisor ask for them."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import pytest

from anpr.runtime import health
from anpr.runtime.health import Health, HealthServer
from tests.support.plain_http import NO_CERTIFICATES


@dataclass
class Service:
    """A service whose state a test sets."""

    seconds: float = 0
    lacks: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.health = Health("test", lambda: self.lacks, stuck_after_seconds=30, stopwatch=lambda: self.seconds)


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def address(service: Service) -> Iterator[str]:
    with HealthServer(service.health, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.server_port}"


def test_a_loop_that_runs_is_live_and_one_that_is_stuck_is_not(service: Service, address: str) -> None:
    assert httpx.get(f"{address}/livez", timeout=60, verify=NO_CERTIFICATES).text == "live\n"
    service.seconds = 31
    stuck = httpx.get(f"{address}/livez", timeout=60, verify=NO_CERTIFICATES)
    assert (stuck.status_code, stuck.text) == (503, "the loop has not run for 31 s\n")
    service.health.heartbeat()
    assert httpx.get(f"{address}/livez", timeout=60, verify=NO_CERTIFICATES).status_code == 200


def test_a_service_that_lacks_something_is_not_ready_but_stays_live(service: Service, address: str) -> None:
    assert httpx.get(f"{address}/readyz", timeout=60, verify=NO_CERTIFICATES).text == "ready\n"
    service.lacks = ["no list", "no broker"]
    unready = httpx.get(f"{address}/readyz", timeout=60, verify=NO_CERTIFICATES)
    assert (unready.status_code, unready.text) == (503, "no list\nno broker\n")
    assert httpx.get(f"{address}/livez", timeout=60, verify=NO_CERTIFICATES).status_code == 200


def test_prometheus_gets_the_metrics_in_the_format_that_it_asks_for(service: Service, address: str) -> None:
    service.health.heartbeat()
    answer = httpx.get(f"{address}/metrics", timeout=60, verify=NO_CERTIFICATES)
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert 'anpr_loop_last_turn_timestamp_seconds{service="test"}' in answer.text
    assert "process_resident_memory_bytes" in answer.text
    openmetrics = httpx.get(
        f"{address}/metrics",
        headers={"Accept": "application/openmetrics-text; version=1.0.0"},
        timeout=60,
        verify=NO_CERTIFICATES,
    )
    assert openmetrics.text.endswith("# EOF\n")


def test_other_paths_and_other_methods_are_refused(address: str) -> None:
    assert httpx.get(f"{address}/", timeout=60, verify=NO_CERTIFICATES).status_code == 404
    assert httpx.get(f"{address}/metrics/../secret", timeout=60, verify=NO_CERTIFICATES).status_code == 404
    assert httpx.post(f"{address}/metrics", timeout=60, verify=NO_CERTIFICATES).status_code == 501


def test_clients_that_send_nothing_do_not_block_the_others(
    service: Service, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health._Handler, "timeout", 600)  # longer than anybody waits here
    host, port = address.removeprefix("http://").split(":")
    silent = [socket.create_connection((host, int(port))) for _ in range(5)]
    try:
        assert httpx.get(f"{address}/livez", timeout=60, verify=NO_CERTIFICATES).status_code == 200
    finally:
        for connection in silent:
            connection.close()
    assert service.lacks == []


def test_a_slow_request_delays_no_other(service: Service, address: str) -> None:
    asked, may_answer = threading.Event(), threading.Event()

    def slow() -> list[str]:
        asked.set()
        may_answer.wait(180)
        return []

    service.health.why_not_ready = slow
    asking = threading.Thread(target=httpx.get, args=(f"{address}/readyz",), kwargs={"timeout": 180})
    asking.start()
    try:
        assert asked.wait(60)
        assert httpx.get(f"{address}/livez", timeout=60, verify=NO_CERTIFICATES).status_code == 200
    finally:
        may_answer.set()
        asking.join()
