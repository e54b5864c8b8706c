"""How long the screens of two ports take to withdraw the incidents of an entry that is removed or has ended.

    python -m benchmarks.withdrawal [--entries 1000000] [--times 100] [--loads 1] [--json]

It runs a real Kafka, a real Valkey with a list of that many entries, the consoles of Calais and Dover, and a browser
at each. It adds an entry and publishes an alert of it. When both screens show the incident, it removes the entry, or
the entry's validity ends. It measures the time from the beginning of the commit, or from `valid_until`, until the
second screen no longer shows the incident as open. A load applies a whole new list, without the entry. A rollback
restores the removed entry; its time ends when the second screen shows the incident as open again.

The boards read the list every 0.1 s, so no median of many runs is below half of that. They begin to read an entry up
to 0.25 s after its incident appears. A removal just after that waits for it; a load, which takes longer, does not.
"""

import json
import random
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import click
import httpx
import msgspec

from anpr.console.board.triage import SETTLED
from anpr.contracts import topics
from anpr.contracts.events import Entry, Read, encode
from anpr.kafka.producer import KafkaProducer
from anpr.local.demo import Demo
from anpr.local.processes import wait_until
from anpr.runtime.clock import system_clock
from benchmarks.alerts import exact_alert
from benchmarks.commits import ChangedElsewhere, entries_of
from benchmarks.console import in_ms, sign_in, state_of
from benchmarks.options import COUNT

SITE = "calais"
SCREENS = ("Calais", "Dover")
VALID_FOR = timedelta(seconds=3)
LONGEST_VALID_FOR = timedelta(minutes=2)
FOR_EVER = datetime(2099, 1, 1, tzinfo=UTC)


class Screen:
    """A browser's view of one console: the incidents that it shows as open, and when others stopped being open."""

    def __init__(self, url: str, cookie: str) -> None:
        self.open: set[str] = set()
        self.open_at: dict[str, float] = {}
        self.over_at: dict[str, float] = {}
        self._url = url
        self._cookie = cookie
        self._after = str(state_of(url, cookie)["id"])
        threading.Thread(target=self._follow, daemon=True).start()

    def _follow(self) -> None:
        address = f"{self._url}/board/stream?after={self._after}"
        with httpx.stream("GET", address, headers={"Cookie": self._cookie}, timeout=None) as feed:  # noqa: S113  for ever
            for line in feed.iter_lines():
                if line.startswith("data: {"):
                    self._note(msgspec.json.decode(line.removeprefix("data: ")), time.time())

    def _note(self, changes: dict[str, object], now: float) -> None:
        cards = changes.get("set")
        for name, card in cards.items() if isinstance(cards, dict) else ():
            if card.get("section", SETTLED) == SETTLED:
                self._over(name, now)
            elif name not in self.open:
                self.open_at[name] = now
                self.open.add(name)
        for name in changes.get("removed") or ():  # type: ignore[attr-defined]
            self._over(name, now)

    def _over(self, name: str, now: float) -> None:
        if name in self.open:
            self.open.remove(name)
            self.over_at[name] = now


class Bench:
    """A list with an entry more or less, its alerts, and the screens that show them."""

    def __init__(self, demo: Demo, entries: int) -> None:
        self._list = ChangedElsewhere(demo.settings.sites[SITE].redis, entries)
        self._producer = KafkaProducer(demo.kafka)
        self._count = entries
        self._draw = random.Random(1)
        self._raised = 0
        consoles = sign_in(demo.start_consoles())
        self._list.load()
        self._screens = [Screen(*consoles[title]) for title in SCREENS]

    def removal(self) -> float:
        """Return the seconds from the commit of a removal to the second screen."""
        return self._until_over(lambda entry_id: self._list.change([], [entry_id]).began)

    def replacement(self) -> float:
        """Return the seconds from the commit of a whole new list."""
        return self._until_over(lambda _: self._list.load().began)

    def expiry(self) -> float:
        """Return the seconds from the end of an entry's validity."""
        valid_for = VALID_FOR
        while valid_for <= LONGEST_VALID_FOR:
            until = system_clock() + valid_for
            name = self._raise(self._listed(until))
            if wait_until(partial(self._is_open, name), (until - system_clock()).total_seconds()):
                return self._seen_over_at(name) - until.timestamp()
            valid_for *= 2  # it had ended before it was shown: the machine is busy
        raise click.ClickException(f"not within {LONGEST_VALID_FOR}: an entry is listed and its alert on the screens")

    def roll_back(self) -> float:
        """Return the seconds from the commit of a roll-back until what a removal has withdrawn is open again."""
        entry = self._listed(FOR_EVER)
        name = self._raise(entry)
        self._wait(lambda: self._is_open(name), f"{name} is on the screens")
        self._list.change([], [entry.entry_id])
        self._seen_over_at(name)
        back = self._list.roll_back().began
        self._wait(lambda: self._is_open(name), f"{name} is on the screens again")
        return max(screen.open_at[name] for screen in self._screens) - back

    def _until_over(self, end: Callable[[str], float]) -> float:
        entry = self._listed(FOR_EVER)
        name = self._raise(entry)
        self._wait(lambda: self._is_open(name), f"{name} is on the screens")
        ended = end(entry.entry_id)
        return self._seen_over_at(name) - ended

    def _is_open(self, name: str) -> bool:
        return all(name in screen.open for screen in self._screens)

    def _seen_over_at(self, name: str) -> float:
        """Wait until both screens show it as open no more, and return when the second did."""
        self._wait(lambda: all(name in screen.over_at for screen in self._screens), f"{name} is off the screens")
        return max(screen.over_at[name] for screen in self._screens)

    def _listed(self, valid_until: datetime) -> Entry:
        self._raised += 1
        (made,) = entries_of([self._count + self._raised], self._draw)
        entry = msgspec.structs.replace(
            made, plate=f"WD{self._raised:05}", valid_until=valid_until, tolerance="exact"
        )
        return msgspec.structs.replace(entry, revision=self._list.change([entry], []).generation)

    def _raise(self, entry: Entry) -> str:
        now = system_clock()
        read = Read(read_id=entry.entry_id, site=SITE, plate=entry.plate, camera="lane-1", lane="1",
                    direction="uk_bound", captured_at=now)  # fmt: skip
        alert = exact_alert(read, entry, now)
        self._producer.produce(topics.alerts(SITE), alert.plate, encode(alert))
        self._producer.flush(10)
        return alert.alert_id

    def _wait(self, condition: Callable[[], bool], what: str) -> None:
        if not wait_until(condition, 60):
            raise click.ClickException(f"not within a minute: {what}")


@click.command()
@click.option("--entries", type=COUNT, default=1_000_000, show_default=True)
@click.option("--times", type=COUNT, default=100, show_default=True, help="Removals, and as many ends.")
@click.option("--loads", type=COUNT, default=1, show_default=True, help="Whole new lists, and as many roll-backs.")
@click.option("--json", "as_json", is_flag=True)
def main(entries: int, times: int, loads: int, *, as_json: bool) -> None:
    """Measure all four and print milliseconds."""
    with Demo(Path("config"), Path("config/example_watchlist.csv"), lambda text: click.echo(text, err=True)) as demo:
        bench = Bench(demo, entries)
        figures = {
            "entries": entries,
            "removal_to_screen_ms": in_ms([bench.removal() for _ in range(times)]),
            "end_to_screen_ms": in_ms([bench.expiry() for _ in range(times)]),
            "new_list_to_screen_ms": in_ms([bench.replacement() for _ in range(loads)]),
            "roll_back_to_screen_ms": in_ms([bench.roll_back() for _ in range(loads)]),
        }
    print(json.dumps(figures, indent=None if as_json else 2))


if __name__ == "__main__":
    main()
