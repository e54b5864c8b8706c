"""The gateway loses no line: when the broker is away, when it is killed, and whatever the lines hold."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from anpr.contracts import topics
from anpr.local.free_ports import free_ports
from anpr.local.processes import wait_until
from anpr.reads.decoder import MAX_READ_BYTES
from tests.support.entries import read_line
from tests.support.installation import Installation


def on_topic(it: Installation, site: str) -> list[bytes | None]:
    return [record.value for record in it.records([topics.reads(site)])]


def sender_on_a_pipe(it: Installation, site: str) -> subprocess.Popen[bytes]:
    """Start a sender whose pipe stays open until it is closed."""
    return subprocess.Popen(
        it.command("send", "--site", site),
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **it.environment},
    )


def log_lines(stderr: bytes) -> list[dict[str, Any]]:
    """Return the lines of a log as fields."""
    return [json.loads(line) for line in stderr.splitlines()]


def logs(event: str, **fields: Any) -> Callable[[bytes], bool]:
    """Return a test of whether a line of a log has this event and these fields."""
    return lambda line: {"event": event, **fields}.items() <= json.loads(line).items()


def test_reads_from_a_file_and_from_a_pipe_are_published_as_they_are(
    installation: Installation, tmp_path: Path
) -> None:
    site = installation.sites[0]
    lines = [read_line(str(number), site, "AB1") for number in range(300)]
    file = tmp_path / "reads.jsonl"
    file.write_bytes(b"\n".join(lines[:200]) + b"\n\n")
    assert installation.run("send", "--site", site, str(file)).returncode == 0
    piped = installation.run("send", "--site", site, input=b"\n".join(lines[200:]))
    assert piped.returncode == 0
    assert any(map(logs("sent", sent=100, unmatchable=0, on_disk=0, site=site), piped.stderr.splitlines()))
    assert set(on_topic(installation, site)) == set(lines)


def test_bad_lines_are_named_by_number_and_sent_all_the_same(installation: Installation) -> None:
    site = installation.sites[0]
    lines = [read_line("a", site, "AB1"), b"not json", read_line("b", "elsewhere", "AB1")]
    done = installation.run("send", "--site", site, input=b"\n".join(lines))
    assert done.returncode == 1
    named = {line["line"]: line["reason"] for line in log_lines(done.stderr) if "line" in line}
    assert named == {2: "not JSON", 3: "wrong site"}
    assert set(on_topic(installation, site)) == set(lines)


def test_a_byte_order_mark_before_the_first_line_is_no_part_of_it(installation: Installation) -> None:
    site = installation.sites[0]
    line = read_line("a", site, "AB1")
    assert installation.run("send", "--site", site, input=b"\xef\xbb\xbf" + line).returncode == 0
    assert on_topic(installation, site) == [line]


def test_a_line_that_is_too_long_is_refused_by_number_and_the_others_are_sent(installation: Installation) -> None:
    site = installation.sites[0]
    long = b"x" * (3 * MAX_READ_BYTES)
    done = installation.run("send", "--site", site, input=long + b"\n" + read_line("a", site, "AB1") + b"\n" + long)
    assert done.returncode == 1
    assert [line["line"] for line in log_lines(done.stderr) if line["event"].startswith("line refused")] == [1, 3]
    assert len(on_topic(installation, site)) == 1


def test_with_the_broker_away_lines_wait_on_disk_and_go_first_on_the_next_start(installation: Installation) -> None:
    site = installation.sites[0]
    lines = [read_line(str(number), site, "AB1") for number in range(100)]
    nowhere = f"127.0.0.1:{free_ports(1)[0]}"
    sender = subprocess.Popen(
        installation.command("send", "--site", site),
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **installation.environment, "KAFKA_BOOTSTRAP": nowhere},
    )
    assert sender.stdin is not None
    assert sender.stderr is not None
    sender.stdin.write(b"\n".join(lines) + b"\n")
    sender.stdin.flush()
    assert any(map(logs("lines wait for the broker", on_disk=100), sender.stderr))
    sender.send_signal(signal.SIGTERM)
    _, errors = sender.communicate(timeout=60)
    assert sender.returncode == 3
    assert any(map(logs("sent", sent=0, on_disk=100), errors.splitlines()))

    after = installation.run("send", "--site", site, input=read_line("last", site, "AB1"))
    assert after.returncode == 0
    assert any(map(logs("lines from the last run are sent first", on_disk=100), after.stderr.splitlines()))
    assert len(set(on_topic(installation, site))) == 101


def test_killed_in_the_middle_it_loses_no_line_that_it_accepted(installation: Installation, tmp_path: Path) -> None:
    site = installation.sites[0]
    lines = [read_line(str(number), site, "AB1") for number in range(20_000)]
    file = tmp_path / "reads.jsonl"
    file.write_bytes(b"\n".join(lines) + b"\n")
    command = installation.command("send", "--site", site, str(file))
    sender = subprocess.Popen(command, stderr=subprocess.DEVNULL, env={**os.environ, **installation.environment})
    assert wait_until(lambda: len(on_topic(installation, site)) > 0, 60)
    sender.kill()
    sender.wait()
    before = set(on_topic(installation, site))
    assert installation.run("send", "--site", site, str(file)).returncode == 0
    assert set(on_topic(installation, site)) == set(lines)
    assert before <= set(lines)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stopped_with_its_pipe_open_it_logs_how_many_lines_are_on_disk_and_loses_none(
    installation: Installation, tmp_path: Path, number: signal.Signals
) -> None:
    site = installation.sites[0]
    reading, writing = os.pipe()
    sender = subprocess.Popen(
        installation.command("send", "--site", site, "--spool", str(tmp_path / "spool")),
        stdin=reading,
        stderr=subprocess.PIPE,
        env={**os.environ, **installation.environment, "KAFKA_BOOTSTRAP": f"127.0.0.1:{free_ports(1)[0]}"},
    )
    assert sender.stderr is not None
    lines = [read_line(str(count), site, "AB1") for count in range(200)]
    os.write(writing, b"\n".join(lines) + b"\n")
    assert any(map(logs("lines wait for the broker", on_disk=200), sender.stderr))
    sender.send_signal(number)
    _, errors = sender.communicate(timeout=60)
    os.close(reading)
    os.close(writing)
    assert sender.returncode == 3, errors.decode()
    assert any(map(logs("sent", on_disk=200), errors.splitlines()))
    assert installation.run("send", "--site", site, "--spool", str(tmp_path / "spool")).returncode == 0
    assert set(on_topic(installation, site)) == set(lines)


def test_two_gateways_cannot_use_one_spool(installation: Installation) -> None:
    site = installation.sites[0]
    first = sender_on_a_pipe(installation, site)
    assert first.stdin is not None
    first.stdin.write(read_line("a", site, "AB1") + b"\n")
    first.stdin.flush()
    assert wait_until(lambda: bool(on_topic(installation, site)), 60)
    second = installation.run("send", "--site", site, input=read_line("b", site, "AB1"))
    assert second.returncode == 3
    assert b"another `anpr send` is using it" in second.stderr
    first.communicate(timeout=60)
    assert first.returncode == 0


@pytest.mark.parametrize("site", ["nowhere"])
def test_a_site_that_is_not_configured_is_refused_by_name(installation: Installation, site: str) -> None:
    done = installation.run("send", "--site", site, input=b"")
    assert done.returncode == 2
    assert b"'nowhere' is not a configured site" in done.stderr


def test_a_read_is_sent_at_once(installation: Installation) -> None:
    """A line is sent although its pipe stays open."""
    site = installation.sites[0]
    sender = sender_on_a_pipe(installation, site)
    assert sender.stdin is not None
    sender.stdin.write(read_line("a", site, "AB1") + b"\n")
    sender.stdin.flush()
    began = time.monotonic()
    assert wait_until(lambda: len(on_topic(installation, site)) == 1, 60), time.monotonic() - began
    sender.communicate(timeout=60)
