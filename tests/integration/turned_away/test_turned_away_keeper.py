"""The list `turned_away` in a real Redis follows the outcomes on the topics of all sites."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta

import pytest
import redis
from structlog.testing import capture_logs

from anpr.contracts import topics, turned_away
from anpr.contracts.events import Action, Alert, Entry, encode
from anpr.kafka.in_memory import InMemoryBroker, InMemoryTail
from anpr.kafka.interfaces import Record
from anpr.local.processes import wait_until
from anpr.runtime.settings import Settings, Site
from anpr.turned_away.turned_away_keeper import TurnedAwayKeeper
from anpr.watchlist.store.store import Author, WatchlistStore
from tests.support.entries import entry
from tests.support.servers import Connect
from tests.support.strategies import NOON, a_read, an_action, an_alert, an_entry

DAY = timedelta(hours=24)


class World:
    """Three sites, each with a broker of its own in memory, and a watchlist in Redis."""

    def __init__(self, store: WatchlistStore, stack: ExitStack) -> None:
        self.now = NOON
        self.store = store
        self.brokers = {name: InMemoryBroker(self.clock) for name in ("calais", "coquelles", "dover")}
        self.settings = Settings({name: Site(name.title(), name, "redis") for name in self.brokers})
        # By site, how many records its broker hands over for now; it never comes to the end then.
        self.only: dict[str, int] = {}
        self.handed_over: Counter[str] = Counter()
        self._stack = stack
        store.apply("stolen", [entry("1", "AB12CDE")], "test", NOON)

    def clock(self) -> datetime:
        return self.now

    def keeper(self) -> TurnedAwayKeeper:
        made = TurnedAwayKeeper(self.settings, self.open_tail, self.store, self.clock)
        made.start()
        self._stack.callback(made.stop)
        return made

    def open_tail(self, address: str, names: Sequence[str]) -> InMemoryTail:
        world, broker = self, self.brokers[address]

        class Tail(InMemoryTail):
            def poll(self, wait_seconds: float) -> list[Record]:
                if world.only.get(address) == world.handed_over[address]:
                    return []
                records = super().poll(wait_seconds)
                world.handed_over[address] += len(records)
                return records

            def caught_up(self) -> bool:
                return address not in world.only and super().caught_up()

        return Tail(broker, names)

    def put(self, fact: Alert | Action, *, is_covert: bool = False) -> None:
        site = fact.read.site if isinstance(fact, Alert) else fact.site
        topic = (
            topics.of_alert(fact)
            if isinstance(fact, Alert)
            else topics.of_action(topics.AddressedAction(fact, is_covert))
        )
        self.brokers[site].topics[topic].append((None, encode(fact), {}, self.now))

    def turned_away(self, plate: str = "AB12CDE", site: str = "calais", **fields: str) -> Action:
        """Let a vehicle come and be turned away."""
        alert = an_alert(a_read(plate, site=site, plate=plate), an_entry(plate, plate=plate, **fields))
        outcome = an_action(f"away-{plate}", "outcome", alert, site=site, at=self.now, outcome="turned_away")
        self.put(alert)
        self.put(outcome, is_covert=alert.is_covert)
        return outcome

    def undo(self, outcome: Action) -> None:
        self.put(an_action("undo", "retracted", outcome.alert_id, site=outcome.site, retracts=outcome.action_id))

    def listed(self) -> dict[str, Entry]:
        manifest = self.store.read_manifest()
        entries = self.store.load(manifest) if manifest else []
        return {one.plate: one for one in entries or () if one.list == turned_away.LIST}

    def comes_to(self, keeper: TurnedAwayKeeper, plates: set[str]) -> bool:
        return self.runs_until(keeper, lambda: self.listed().keys() == plates)

    @staticmethod
    def runs_until(keeper: TurnedAwayKeeper, condition: Callable[[], bool]) -> bool:
        def is_met() -> bool:
            keeper.run_once()
            return condition()

        return wait_until(is_met, 60)


@pytest.fixture
def world(connected: Connect, redis_url: str) -> Iterator[World]:
    with ExitStack() as stack:
        yield World(WatchlistStore(connected(redis_url), timedelta(hours=96)), stack)


def test_a_vehicle_is_listed_at_the_other_ports_until_its_outcome_is_undone(world: World) -> None:
    keeper = world.keeper()
    outcome = world.turned_away()
    assert world.comes_to(keeper, {"AB12CDE"})
    assert world.listed()["AB12CDE"].sites == ("coquelles", "dover")
    world.undo(outcome)
    assert world.comes_to(keeper, set())
    [ended] = world.store.tombstones([turned_away.entry_id("calais", outcome.action_id)])
    assert "undone" in ended.why
    assert [(one.user, one.command) for one in world.store.logged_changes(2)] == [("list keeper", "turned-away")] * 2


def test_the_outcome_of_a_covert_alert_makes_a_covert_entry_and_the_plate_check_takes_it_off(world: World) -> None:
    keeper = world.keeper()
    outcome = world.turned_away("CV77RST", handling="covert")
    assert world.comes_to(keeper, {"CV77RST"})
    assert world.listed()["CV77RST"].is_covert
    check = an_action("check", "plate_check", outcome.alert_id, plate_check="different")
    world.put(check, is_covert=True)
    assert world.comes_to(keeper, set())


def test_an_entry_becomes_covert_with_the_entry_for_which_the_vehicle_was_stopped(world: World) -> None:
    keeper = world.keeper()
    world.turned_away()
    assert world.comes_to(keeper, {"AB12CDE"})
    assert not world.listed()["AB12CDE"].is_covert
    quiet = entry("AB12CDE", "AB12CDE", handling="covert")
    world.store.change("stolen", [quiet], [], why="test", now=NOON, author=Author())
    assert world.runs_until(keeper, lambda: world.listed()["AB12CDE"].is_covert)


def test_a_keeper_that_starts_lists_nothing_that_was_undone_or_is_over(world: World) -> None:
    undone = world.turned_away("UN12DNE")
    world.turned_away("OV12ERR")
    world.undo(undone)
    world.now = NOON + DAY
    world.turned_away("ST12AND")
    before = world.store.read_manifest()
    assert before is not None
    assert world.comes_to(world.keeper(), {"ST12AND"})
    after = world.store.read_manifest()
    assert after is not None
    assert after.generation.number == before.generation.number + 1, "it was one change: nothing else was ever listed"


def test_an_outcome_does_not_count_while_its_site_has_more_to_be_read(world: World) -> None:
    outcome = world.turned_away()
    world.only["calais"] = 2
    keeper = world.keeper()
    assert wait_until(lambda: world.handed_over["calais"] == 2, 60)
    world.turned_away("CQ12LES", site="coquelles")
    assert world.comes_to(keeper, {"CQ12LES"})
    world.undo(outcome)
    world.turned_away("ST12AND")
    world.only.clear()
    assert world.comes_to(keeper, {"CQ12LES", "ST12AND"})
    changes = [change for change in world.store.logged_changes(99) if change.list == turned_away.LIST]
    assert sum(change.added for change in changes) == 2, "the other one was never listed"


def test_while_a_broker_is_away_nothing_of_its_site_changes_and_the_other_sites_go_on(world: World) -> None:
    first = world.turned_away("CA12AIS")
    assert world.comes_to(world.keeper(), {"CA12AIS"})
    world.only["calais"] = world.handed_over["calais"]
    world.undo(first)
    restarted = world.keeper()
    world.turned_away("CQ12LES", site="coquelles")
    assert world.comes_to(restarted, {"CA12AIS", "CQ12LES"}), "it stays: nobody has read that it was undone"
    assert restarted.problems() == [
        "outcomes of Calais are not known: its topics have not been read to their end yet"
    ]
    world.only.clear()
    assert world.comes_to(restarted, {"CQ12LES"})
    assert restarted.problems() == []


def test_what_is_lost_in_redis_or_changed_there_by_mistake_comes_back(world: World) -> None:
    keeper, other = world.keeper(), world.keeper()
    outcome = world.turned_away()
    assert world.comes_to(keeper, {"AB12CDE"})
    assert world.comes_to(other, {"AB12CDE"}), "a second keeper finds nothing to do"
    manifest = world.store.read_manifest()
    keeper.run_once()
    other.run_once()
    assert world.store.read_manifest() == manifest
    gone = [turned_away.entry_id("calais", outcome.action_id)]
    world.store.change(turned_away.LIST, [], gone, why="test", now=NOON, author=Author())
    assert world.comes_to(keeper, {"AB12CDE"})


def test_a_change_of_this_list_does_not_refuse_that_of_an_operator(world: World) -> None:
    keeper = world.keeper()
    world.turned_away("FI12RST")
    assert world.comes_to(keeper, {"FI12RST"})
    world.turned_away("SE12OND")

    def meanwhile(_done: int, _all: int) -> None:
        assert world.comes_to(keeper, {"FI12RST", "SE12OND"})

    long = [entry(f"of a long list {number}", f"AB{number}") for number in range(300)]
    assert world.store.apply("stolen", long, "test", NOON, progress=meanwhile).added == 300
    assert world.listed().keys() == {"FI12RST", "SE12OND"}, "the keeper was the first of the two"
    assert not world.store.previous_states(turned_away.LIST), "nobody rolls it back"


def test_an_empty_redis_is_left_empty(world: World, redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
    keeper = world.keeper()
    world.turned_away()
    assert world.runs_until(keeper, lambda: not keeper.problems())
    assert world.store.read_manifest() is None


def test_a_record_that_cannot_be_read_costs_only_itself(world: World) -> None:
    keeper = world.keeper()
    world.brokers["calais"].topics[topics.actions("calais")].append((None, b"{}", {}, NOON))
    forged = an_action("forged", "outcome", "x", site="dover", outcome="turned_away")
    world.brokers["calais"].topics[topics.actions("calais")].append((None, encode(forged), {}, NOON))
    world.turned_away()
    with capture_logs() as lines:
        assert world.comes_to(keeper, {"AB12CDE"})
    assert [line["offset"] for line in lines if line["event"] == "record cannot be read"] == [0, 1]


def test_what_no_board_shows_for_its_time_lists_nobody_either(world: World) -> None:
    keeper = world.keeper()
    later = NOON + timedelta(days=30000)
    alert = an_alert(a_read("FU20RET", plate="FU20RET", captured_at=later), an_entry("F", plate="FU20RET"))
    world.put(alert)
    world.put(an_action("away", "outcome", alert, site="calais", at=NOON, outcome="turned_away"))
    world.turned_away()
    assert world.comes_to(keeper, {"AB12CDE"})
