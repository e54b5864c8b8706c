"""What goes on during a campaign: vehicles pass at each port, and the list changes."""

import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from anpr.contracts import topics
from anpr.contracts.events import Entry, Generation, Read, ReadIdentity, encode
from anpr.kafka.producer import KafkaProducer
from anpr.local.processes import wait_until
from anpr.runtime.clock import system_clock
from anpr.runtime.errors import AnprError
from anpr.watchlist.store.applied_change import Author
from anpr.watchlist.store.preconditions import Preconditions
from anpr.watchlist.store.store import WatchlistStore
from tests.support.entries import entry
from tests.support.strategies import a_read

LIST: Final = "stolen"
PLATES: Final = [f"{letters}{number}CDE" for letters in ("AB", "KV", "MW", "HT") for number in range(10, 60)]
# Some plates are always listed, some entries come and go, and some plates are listed in the course of the campaign.
ALWAYS: Final = PLATES[:30]
CHURNED: Final = PLATES[20:40]
GROWING: Final = [*PLATES[40:90], "MW1?CDE", "HT*9CDE"]
_CHANGE_SECONDS, _READ_SECONDS = 1.5, 0.1
# As for operators: a change of a Redis that has just lost everything would be the whole list, and end all others.
_EXISTING_LIST: Final = Preconditions(allows_new_list=False)
# One change in so many lists another plate for good.
_GROWS_EACH: Final = 12


class Steps:
    """A step every so often, in a thread of its own."""

    def __init__(self, step: Callable[[], None], every_seconds: float) -> None:
        self._step = step
        self._every_seconds = every_seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.failed: Exception | None = None

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and raise what ended it before."""
        self._stop.set()
        self._thread.join()
        if self.failed:
            raise self.failed

    def _run(self) -> None:
        try:
            while not self._stop.wait(self._every_seconds):
                self._step()
        except Exception as error:  # noqa: BLE001  raised by `stop`
            self.failed = error


class Lists:
    """A list that changes without end, and its entries in each generation.

    Redis may be away, and may have lost everything: then the whole list is applied again, as an operator would.
    """

    def __init__(self, store: WatchlistStore, seed: int) -> None:
        self.contents: dict[Generation, list[Entry]] = {}
        self.refusals = 0
        self._store = store
        self._draw = random.Random(seed)
        self._entries = {f"always-{plate}": entry(f"always-{plate}", plate) for plate in ALWAYS}
        self._growing = list(GROWING)
        self._steps = 0
        self._known: dict[Entry, Entry] = {}
        self._reload()

    def step(self) -> None:
        """Make one change. While Redis does not answer, nothing changes."""
        try:
            manifest = self._store.read_manifest()
            if manifest is None or manifest.generation != max(self.contents):
                # Somebody took the list away, or a change that was refused was made nevertheless.
                self._note()
                self._reload()
                return
            self._change()
        except AnprError:
            self.refusals += 1

    def settle(self) -> None:
        """Apply the whole list, once Redis answers."""

        def is_applied() -> bool:
            with suppress(AnprError):
                self._note()
                self._reload()
                return True
            return False

        assert wait_until(is_applied, 600), "Redis does not answer"

    def _change(self) -> None:
        self._steps += 1
        put = [self._any() for _ in range(self._draw.randrange(4))]
        if self._steps % _GROWS_EACH == 0 and self._growing:
            plate = self._growing.pop(0)
            put.append(entry(f"growing-{plate}", plate))
        removable = sorted(key for key in self._entries if key.startswith("some-"))
        removed = self._draw.sample(removable, min(len(removable), self._draw.randrange(3)))
        removed = [one for one in removed if one not in {new.entry_id for new in put}]
        # First here: Redis may make a change and not answer. The whole list then repeats it.
        for entry_id in removed:
            del self._entries[entry_id]
        self._entries |= {new.entry_id: new for new in put}
        self._store.change(
            LIST, put, removed, why="campaign", now=system_clock(), author=Author(), preconditions=_EXISTING_LIST
        )
        self._note()

    def _reload(self) -> None:
        self._store.apply(LIST, list(self._entries.values()), "campaign", system_clock())
        self._note()

    def _note(self) -> None:
        """Keep the entries of the generation that is active now."""
        manifest = self._store.read_manifest()
        if manifest is not None and manifest.generation not in self.contents:
            entries = self._store.load(manifest) or []
            self.contents[manifest.generation] = [self._known.setdefault(one, one) for one in entries]

    def _any(self) -> Entry:
        plate = self._draw.choice(CHURNED)
        return entry(
            f"some-{plate}-{self._draw.randrange(3)}",
            plate,
            reason=self._draw.choice(("old", "new")),
            tolerance=self._draw.choice(("exact", "tolerant")),
            valid_until=datetime(2099, 1, self._draw.randrange(1, 9), tzinfo=UTC),
        )


class Road:
    """Reads of all ports without end, by cameras that write to the topic themselves."""

    def __init__(self, bootstrap: str, sites: tuple[str, ...], reads_per_second: float) -> None:
        self.sent: set[ReadIdentity] = set()
        self._sites = sites
        self._producer = KafkaProducer(bootstrap)
        self._per_step = max(1, round(reads_per_second * _READ_SECONDS))

    def step(self) -> None:
        """Let some vehicles pass."""
        for _ in range(self._per_step):
            read = a_pass(len(self.sent), self._sites)
            self._producer.produce(topics.reads(read.site), read.camera, encode(read))
            self.sent.add(read.identity)
        self._producer.flush(0)

    def end(self) -> None:
        """Wait until the broker has every read."""
        assert wait_until(lambda: self._producer.flush(1) == 0, 600), "reads never reached the broker"


def a_pass(number: int, sites: tuple[str, ...], camera: str = "camera") -> Read:
    """Return the read of a vehicle that passes now; each plate passes at each site."""
    site = sites[number % len(sites)]
    plate = PLATES[(number * 7919 + number // len(PLATES)) % len(PLATES)]
    name = f"{camera}-{number % 7}"
    return a_read(str(number), site=site, plate=plate, camera=name, captured_at=system_clock())


class Traffic:
    """The road and the list together."""

    def __init__(self, road: Road, lists: Lists) -> None:
        self.road = road
        self.lists = lists
        self._threads = [Steps(road.step, _READ_SECONDS), Steps(lists.step, _CHANGE_SECONDS)]
        self.began = time.monotonic()

    def start(self) -> None:
        """Begin."""
        self.began = time.monotonic()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End when the broker has every read and Redis the list."""
        for thread in self._threads:
            thread.stop()
        self.road.end()
        self.lists.settle()
