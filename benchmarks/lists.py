"""How long an operator waits for a large list: plan, apply, plan again with changes, add one entry.

    python -m benchmarks.lists [--lines 1000000] [--json]

Each step is the command as an operator runs it, on a Valkey of its own, with its CPU time, its peak memory, and the
memory of Valkey after it: the active list and its previous states. As a yardstick for this machine at this hour, it
also times a bare pass of Python's CSV reader over the same file.
"""

import csv
import json
import os
import random
import string
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import click
import redis

from anpr.local.valkey_server import ValkeyServer
from benchmarks.options import COUNT

HEADER = (
    "entry_id,plate,country,category,priority,reason,instruction,valid_from,valid_until,tolerance,handling,"
    "vehicle_kind,vehicle_make,vehicle_colour,owner,legal_basis,source\n"
)
# The shares of the lines that are new, changed and removed; together about a tenth of the list.
CHANGED_SHARE = 0.033


def lines(count: int, seed: int, *, changed: bool) -> Iterator[str]:
    """Return the lines of a list; with `changed`, a share is changed and as many are replaced by others."""
    draw = random.Random(seed)
    for number in range(count):
        letters = "".join(draw.choices(string.ascii_uppercase, k=5))
        plate = f"{letters[:2]}{draw.randrange(10, 100)} {letters[2:]}"
        reason = f"Reported by unit {draw.randrange(5000)}; see the file"
        until = f"20{draw.randrange(27, 60)}-{draw.randrange(1, 13):02}-{draw.randrange(1, 29):02}"
        fate = draw.random()
        entry_id = f"N{number:08}" if changed and fate < CHANGED_SHARE else f"E{number:08}"
        if changed and fate > 1 - CHANGED_SHARE:
            reason += "; again"
        yield (
            f"{entry_id},{plate},GB,stolen,{number % 5 + 1},{reason},Hold in the lane; check papers,2026-01-01,"
            f"{until},tolerant,open,car,Ford,blue,Unit {number % 50},Made up,source/{number}\n"
        )


def write(path: Path, count: int, seed: int, *, changed: bool) -> Path:
    """Write a list."""
    with path.open("w", encoding="utf-8") as file:
        file.write(HEADER)
        file.writelines(lines(count, seed, changed=changed))
    return path


def bare(path: Path) -> float:
    """Return the seconds that reading the cells takes."""
    began = time.perf_counter()
    with path.open(encoding="utf-8", newline="") as file:
        for _ in csv.reader(file):
            pass
    return time.perf_counter() - began


def run(url: str, *arguments: str) -> dict[str, float]:
    """Run an `anpr watchlist` command and return its seconds, its CPU seconds and its peak megabytes."""
    command = [sys.executable, "-m", "anpr", "--config", "config", "watchlist", *arguments]
    environment = {**os.environ, "REDIS_URL": url}
    began = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)  # noqa: S603  the project's own command
    errors = process.stderr.read() if process.stderr else b""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}\n{errors.decode()}")
    return {
        "seconds": time.perf_counter() - began,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "megabytes": usage.ru_maxrss / 1024,
    }


@click.command()
@click.option("--lines", "count", type=COUNT, default=1_000_000, show_default=True)
@click.option("--seed", default=7, show_default=True)
@click.option("--json", "as_json", is_flag=True)
def main(count: int, seed: int, *, as_json: bool) -> None:
    """Time each step once and print seconds, megabytes, and the time as a multiple of a bare reading of the file."""
    with tempfile.TemporaryDirectory() as folder, ValkeyServer(Path(folder) / "valkey") as server:
        first = write(Path(folder) / "first.csv", count, seed, changed=False)
        second = write(Path(folder) / "second.csv", count, seed, changed=True)
        plan = f"{folder}/plan.json"
        yardstick = bare(first)
        entry = ("AB12 CDE", "--reason", "seen", "--until", "2099-12-31")
        steps = {
            "plan, nothing active": ("plan", str(first), "--list", "big", "--new-list", "--out", plan),
            "apply": ("apply", plan),
            "plan, a tenth changed": ("plan", str(second), "--list", "big", "--out", plan),
            "apply, a tenth changed": ("apply", plan),
            "roll back": ("rollback", "--list", "big", "--why", "measured"),
            "add one entry": ("add", *entry, "--list", "big"),
            "remove one entry": ("remove", "AB12CDE", "--list", "big", "--why", "measured"),
            "export": ("export", "--list", "big"),
        }
        figures = {}
        with redis.Redis.from_url(server.url) as client:
            for name, arguments in steps.items():
                figures[name] = run(server.url, *arguments)
                figures[name]["redis_megabytes"] = client.info("memory")["used_memory"] / 1024**2
                click.echo(f"{name}: {figures[name]['seconds']:.1f} s", err=True)
    if as_json:
        print(json.dumps({"lines": count, "bare_reading_seconds": yardstick, **figures}))
        return
    print(f"{count} lines; a bare reading of them takes {yardstick:.1f} s")
    for name, row in figures.items():
        print(
            f"{name:24} {row['seconds']:7.1f} s {row['cpu_seconds']:7.1f} s of CPU {row['megabytes']:7.0f} MB"
            f" {row['seconds'] / yardstick:7.1f} x bare; Redis holds {row['redis_megabytes']:.0f} MB"
        )


if __name__ == "__main__":
    main()
