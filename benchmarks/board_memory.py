"""How much memory the boards of a console take by how many incidents are open.

    python -m benchmarks.board_memory [--incidents 0 --incidents 1000 ...] [--json]

Each size has a process of its own. Its boards, for everybody and for people with the covert permission, get two
alerts of each vehicle, as records of the topics: one from the front camera and one from the rear. The page is not
measured: it has a bounded number of cards, however many incidents there are.
"""

import gc
import json
import multiprocessing
import re
from datetime import timedelta
from pathlib import Path

import click

from anpr.board.audience_boards import AudienceBoards
from anpr.contracts.events import Entry, Generation, Read, decode_alert_record, encode
from anpr.runtime.clock import system_clock
from anpr.runtime.settings import Settings, Site
from benchmarks.alerts import exact_alert
from benchmarks.options import NONE_OR_MORE

SIZES = (0, 1000, 5000, 20_000)
_PSS = re.compile(r"^Pss:\s+(\d+) kB$", re.MULTILINE)


def records(incidents: int) -> list[bytes]:
    """Return two alerts of each of so many vehicles."""
    now, generation = system_clock(), Generation(epoch=1, number=1)
    made = []
    for number in range(incidents):
        plate = f"{'ABCDEFGHKL'[number // 10_000 % 10]}{number % 10_000:04}XYZ"
        entry = Entry(
            entry_id=f"entry-{number}",
            revision=generation,
            list="stolen",
            plate=plate,
            country="GB",
            category="stolen",
            priority=1 + number % 5,
            reason="Car reported stolen",
            instruction="Hold in the lane; check papers",
            valid_until=now + timedelta(days=300),
        )
        for camera, position in (("calais-1-front", "front"), ("calais-1-rear", "rear")):
            read = Read(
                read_id=f"{number}-{position}",
                site="calais",
                plate=plate,
                camera=camera,
                lane="1",
                position=position,
                captured_at=now,
                claimed_at=now.isoformat(),
                country="GB",
                confidence=0.93,
            )
            made.append(encode(exact_alert(read, entry, now)))
    return made


def memory_kb(incidents: int) -> int:
    """Return how many kB this process gains by boards with so many open incidents. Call it in a fresh process."""
    values = records(incidents)
    gc.collect()
    before = _pss_kb()
    boards = AudienceBoards(Settings(sites={"calais": Site("Calais", "", "")}), with_covert=True)
    for offset, value in enumerate(values):
        fact = decode_alert_record(value)
        boards.add(fact, offset, is_covert=False)
    now = system_clock()
    shown = {len(board.incidents(now)) for board in (boards.open_board, boards.whole_board) if board is not None}
    if shown != {incidents}:
        raise RuntimeError(f"{shown} incidents are open, not {incidents}")
    gc.collect()
    return _pss_kb() - before


def _pss_kb() -> int:
    return int(_PSS.findall(Path("/proc/self/smaps_rollup").read_text("ascii"))[0])


@click.command()
@click.option("--incidents", "sizes", multiple=True, default=SIZES, type=NONE_OR_MORE, help="How many are open.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of a table.")
def main(sizes: tuple[int, ...], *, as_json: bool) -> None:
    """Measure each size in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        gained = {size: pool.apply(memory_kb, (size,)) for size in sizes}
    rows = [
        {"incidents": size, "mb": round(kb / 1024, 1), "kb_an_incident": round(kb / size, 2) if size else None}
        for size, kb in gained.items()
    ]
    if as_json:
        click.echo(json.dumps({"sizes": rows}))
        return
    for size, kb in gained.items():
        each = f"  {kb / size:6.2f} kB an incident" if size else ""
        click.echo(f"{size:8,} incidents  {kb / 1024:8.1f} MB{each}")


if __name__ == "__main__":
    main()
