"""The command writes repeatable reads, ends cleanly, and refuses what it cannot do."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from confluent_kafka import Consumer, TopicPartition

from anpr.local.mock_broker import MockBroker
from simulators import kafka_sink
from simulators.cli import main
from simulators.run import Pace
from simulators.stop_request import StopRequest

ROOT = Path(__file__).parents[3]
FIXED = ("--config", str(ROOT / "config"), "--start", "2026-06-01T08:00:00Z")
LIST = "plate,country,valid_until\nAB12 CDE,GB,2026-12-31\nWI 1234A,PL,2026-12-31\n"


def simulate(*arguments: str) -> Result:
    return CliRunner().invoke(main, [*FIXED, *arguments])


@pytest.fixture
def watchlist(tmp_path: Path) -> Path:
    file = tmp_path / "list.csv"
    file.write_text(LIST, "utf-8")
    return file


@pytest.fixture
def broker() -> Iterator[MockBroker]:
    broker = MockBroker()
    broker.start()
    yield broker
    broker.stop()


def topic_records(bootstrap: str, topic: str) -> list[tuple[bytes | None, bytes | None]]:
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "test", "enable.partition.eof": True})
    try:
        partitions = consumer.list_topics(topic, timeout=60).topics[topic].partitions
        consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
        records, ended = [], 0
        while ended < len(partitions):
            message = consumer.poll(10)
            assert message is not None
            if message.error():
                ended += 1
            else:
                records.append((message.key(), message.value()))
        return records
    finally:
        consumer.close()


def test_the_same_arguments_give_the_same_bytes() -> None:
    first, again = (simulate("--seed", "3", "--for", "10s", "--speed", "60") for _ in range(2))
    assert first.exit_code == 0
    assert first.stdout_bytes
    assert first.stdout_bytes == again.stdout_bytes
    assert simulate("--seed", "4", "--for", "10s", "--speed", "60").stdout_bytes != first.stdout_bytes


def test_a_site_has_the_same_reads_whichever_other_sites_run() -> None:
    of_all = simulate("--for", "10s", "--speed", "60").stdout.splitlines()
    of_one = simulate("--for", "10s", "--speed", "60", "--site", "dunkerque").stdout.splitlines()
    assert of_one == [line for line in of_all if json.loads(line)["site"] == "dunkerque"]
    assert {json.loads(line)["site"] for line in of_all} == {"calais", "coquelles", "dunkerque"}


def test_time_passes_as_fast_as_the_speed_says() -> None:
    reads = [
        json.loads(line) for line in simulate("--for", "10s", "--speed", "60", "--seed", "1").stdout.splitlines()
    ]
    captured = sorted(datetime.fromisoformat(read["captured_at"]) for read in reads)
    seconds = (captured[-1] - datetime.fromisoformat("2026-06-01T08:00:00Z")).total_seconds()
    assert 8 < seconds < 10
    assert len({read["pass_id"] for read in reads}) > 60


def test_the_truth_covers_the_reads_that_were_written_and_no_others(watchlist: Path, tmp_path: Path) -> None:
    truth, out = tmp_path / "truth.jsonl", tmp_path / "reads.jsonl"
    result = simulate(
        *("--watchlist", str(watchlist), "--truth", str(truth), "--out", str(out)),
        *("--for", "7s", "--speed", "60", "--listed-share", "0.5"),
    )
    assert result.exit_code == 0
    written = {json.loads(line)["read_id"] for line in out.read_text("utf-8").splitlines()}
    lines = [json.loads(line) for line in truth.read_text("utf-8").splitlines()]
    assert lines
    read_ids = {e["read_id"] for line in lines for e in line["expected"]} | {
        i for line in lines for i in line["misread"]
    }
    assert read_ids <= written
    assert len({line["pass_id"] for line in lines}) == len(lines)
    assert f"listed passes {len(lines)}" in result.stderr


def test_the_last_line_counts_what_was_published() -> None:
    result = simulate("--for", "60s", "--speed", "60")
    reads = [json.loads(line) for line in result.stdout.splitlines()]
    ids = [read["read_id"] for read in reads]
    last = result.stderr.splitlines()[-1]
    assert f"reads {len(reads)}, passes {len({read['pass_id'] for read in reads})}, " in last
    assert f"duplicates {len(ids) - len(set(ids))}, " in last


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_leaves_whole_lines_and_exit_code_0(number: signal.Signals) -> None:
    command = [sys.executable, "-m", "simulators", "--live", "--speed", "600"]
    # Without a buffer: `communicate` would not see what `readline` had read ahead.
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        process.send_signal(number)
        rest, words = process.communicate(timeout=60)
    assert process.returncode == 0
    reads = [json.loads(line) for line in (first + rest).splitlines()]
    assert f"reads {len(reads)}, ".encode() in words


# Python runs a signal's handler between two lines of the main thread. This raises the signal at each line of a wait
# in turn. If a wait hangs, the process ends with 1 and prints where.
AT_EACH_LINE = """
import faulthandler, signal, sys
from simulators import stop_request
from simulators.run import Pace

faulthandler.dump_traceback_later(60, exit=True)
for line in range(1, 16):
    left = line

    def trace(frame, event, arg):
        global left
        left -= event == "line"
        if left == 0:
            sys.settrace(None)
            signal.raise_signal(signal.SIGTERM)
        return trace

    with stop_request.stop_on_signals(signal.SIGTERM) as stop:
        pace = Pace(1.0, stop, [])
        sys.settrace(trace)
        pace.wait_until(3600)
"""


def test_a_stop_ends_a_wait_at_any_moment() -> None:
    done = subprocess.run(
        [sys.executable, "-c", AT_EACH_LINE], cwd=ROOT, capture_output=True, timeout=180, check=False
    )
    assert done.returncode == 0, done.stderr.decode()


def test_a_run_restores_the_signal_handlers() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    simulate("--for", "1s")
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before


def test_a_reader_of_the_output_may_stop_reading() -> None:
    command = f"{sys.executable} -m simulators --speed 60 | head -n 2"
    done = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, timeout=120, check=True)  # noqa: S602
    assert len(done.stdout.splitlines()) == 2
    assert b"Traceback" not in done.stderr
    assert b"rror" not in done.stderr


def test_with_a_pace_no_read_comes_before_its_moment() -> None:
    began_s = time.monotonic()
    over_s = Pace(10, StopRequest(), []).wait_until(0.5)
    took_s = time.monotonic() - began_s
    assert took_s >= 0.05
    assert 0 <= over_s <= took_s - 0.05 + 1e-6  # what the clock's numbers are rounded by


def test_a_stop_ends_a_long_wait() -> None:
    stop = StopRequest()
    stop.is_requested = True
    assert Pace(1, stop, []).wait_until(3600) == 0


def test_published_reads_are_on_the_sites_topics_by_camera_and_in_the_file(
    broker: MockBroker, tmp_path: Path
) -> None:
    out = tmp_path / "reads.jsonl"
    result = simulate(
        *("--publish", "--bootstrap", broker.bootstrap, "--out", str(out), "--site", "calais", "--site", "dunkerque"),
        *("--for", "1s", "--speed", "600"),
    )
    assert result.exit_code == 0, result.stderr
    assert "undelivered 0" in result.stderr
    assert result.stdout == ""
    written = out.read_bytes().splitlines()
    for site in ("calais", "dunkerque"):
        records = topic_records(broker.bootstrap, f"anpr.{site}.reads.v1")
        assert sorted(value or b"" for _, value in records) == sorted(
            line for line in written if json.loads(line)["site"] == site
        )
        assert all(json.loads(value or b"")["camera"].encode() == key for key, value in records)


def test_reads_that_kafka_did_not_accept_are_counted_and_the_command_fails(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("_FLUSH_TIMEOUT_S", "_FIND_TIMEOUT_S"):
        monkeypatch.setattr(kafka_sink, name, 0.1)
    result = simulate("--publish", "--bootstrap", "127.0.0.1:1", "--for", "0.1s", "--speed", "6000")
    counted = re.search(r"reads (\d+), .* undelivered (\d+)", result.stderr)
    assert result.exit_code == 1
    assert counted
    assert counted[1] == counted[2] != "0"
    assert f"{counted[2]} reads were not acknowledged" in caplog.text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--for", "soon"), "'soon' is no duration"),
        (("--at", "25:00"), "'25:00' is not a time of day"),
        (("--start", "2026-06-01T08:00:00"), "is not a time with its UTC offset"),
        (("--speed", "0"), "--speed"),
        (("--truth", "t.jsonl"), "--truth needs --watchlist"),
        (("--watchlist", "missing.csv"), "missing.csv"),
        (("--site", "dover"), "dover"),
        (("--out", f"no{os.sep}such{os.sep}folder"), "such"),
    ],
)
def test_the_error_names_the_option_that_cannot_be_used(arguments: tuple[str, ...], words: str) -> None:
    result = simulate("--for", "1s", *arguments)
    assert result.exit_code == 2
    assert words in result.stderr
