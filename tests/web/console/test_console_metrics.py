"""What a console's metrics show to the engineer on call, and what they never show."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from anpr.contracts import canary, topics
from anpr.local.processes import wait_until
from anpr.runtime import metrics
from tests.support.strategies import an_alert
from tests.support.web_console import PASSWORD, ConsoleServer, running_console


@pytest.fixture
def server(tmp_path: Path, redis_url: str) -> Iterator[ConsoleServer]:
    # The metrics of one process are shared: what the console of another test showed must not be taken for this one's.
    metrics.CONSOLE_FAULTS.set(0)
    metrics.CONSOLE_LAST_STATUS.clear()
    with running_console(tmp_path / "console", redis_url) as console_server:
        console_server.report_all_is_well()
        assert wait_until(lambda: value("anpr_console_site_heard_timestamp_seconds", site="calais") > 1, 60)
        yield console_server


def value(name: str, **labels: str) -> float:
    return metrics.REGISTRY.get_sample_value(name, labels) or 0.0


def of_the_console() -> dict[str, float]:
    """Return all that the metrics say of consoles, but what goes by the clock or by who is signed in."""
    return {
        f"{sample.name}{sample.labels}": sample.value
        for metric in metrics.REGISTRY.collect()
        for sample in metric.samples
        if metric.name.startswith(("anpr_console", "anpr_capture_to_board"))
        and not sample.name.startswith(("anpr_console_site_heard", "anpr_console_browsers", "anpr_console_sign_ins"))
    }


def test_metrics_show_what_is_open_and_how_long_alerts_took_to_the_board(server: ConsoleServer) -> None:
    before = value("anpr_capture_to_board_seconds_count", site="calais")
    assert wait_until(lambda: value("anpr_console_faults") > 0, 60), "no test plate has come yet"
    server.alert("AB12CDE")
    assert wait_until(lambda: value("anpr_console_open_incidents", lane="now") == 1, 60)
    assert value("anpr_capture_to_board_seconds_count", site="calais") == before + 1


def test_metrics_show_a_returned_test_plate_and_how_long_it_took(server: ConsoleServer) -> None:
    sent_at = server.clock() - timedelta(seconds=3)
    plate = an_alert(canary.read("calais", sent_at), canary.entry(sent_at), raised_at=sent_at)
    server.put(topics.alerts("calais"), plate)
    assert wait_until(
        lambda: (
            round(value("anpr_console_canary_sent_timestamp_seconds", site="calais")) == round(sent_at.timestamp())
        ),
        60,
    )
    assert value("anpr_console_canary_seconds", site="calais") >= 3


def test_an_unreadable_record_is_counted(server: ConsoleServer) -> None:
    before = value("anpr_console_unreadable_records_total", site="coquelles")
    server.put(topics.alerts("coquelles"), {"neither": "an alert", "nor": "a correction"})
    assert wait_until(lambda: value("anpr_console_unreadable_records_total", site="coquelles") == before + 1, 60)


def test_connected_browsers_and_events_sent_to_them_are_counted(server: ConsoleServer) -> None:
    sent = value("anpr_console_events_total")
    with server.browser("ann") as ann, ann.stream("GET", "/board/stream") as events:
        changes = events.iter_bytes()
        next(changes)
        assert value("anpr_console_browsers") == 1
        server.alert("AB12CDE")
        assert wait_until(lambda: value("anpr_console_events_total") > sent, 60)
    assert wait_until(lambda: value("anpr_console_browsers") == 0, 60)


def test_sign_in_attempts_are_counted_by_result(server: ConsoleServer) -> None:
    def tried(name: str, password: str) -> dict[str, float]:
        results = ("done", "wrong", "too_many", "other_site", "unavailable")
        before = {result: value("anpr_console_sign_ins_total", result=result) for result in results}
        with server.browser() as browser:
            browser.post("/sign-in", data={"name": name, "password": password})
        changed = {result: value("anpr_console_sign_ins_total", result=result) - before[result] for result in results}
        return {result: count for result, count in changed.items() if count}

    assert tried("ann", PASSWORD) == {"done": 1}
    assert tried("kate", PASSWORD) == {"other_site": 1}
    for _ in range(5):
        assert tried("bob", "wrong password") == {"wrong": 1}
    assert tried("bob", PASSWORD) == {"too_many": 1}


def test_covert_alerts_change_no_metric(server: ConsoleServer) -> None:
    with server.browser("cleo") as cleo, cleo.stream("GET", "/board/stream") as events:
        changes = events.iter_bytes()
        next(changes)
        assert wait_until(lambda: value("anpr_console_faults") > 0, 60)
        before = of_the_console()
        server.alert("AB12CDE", handling="covert")
        server.put(topics.covert_alerts("calais"), {"neither": "an alert", "nor": "a correction"})
        server.put(topics.covert_actions("calais"), {"no": "action"})
        assert wait_until(lambda: server.console.service.board_thread._feed.unreadable_records.total() == 2, 60)
        assert of_the_console() == before
