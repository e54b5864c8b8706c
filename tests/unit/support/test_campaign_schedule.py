"""The faults of a campaign: the same seed gives the same ones, and each kind occurs."""

from collections import Counter

from tests.campaign import schedule
from tests.campaign.schedule import plan

SITES = ("calais", "coquelles")


def test_a_seed_repeats_its_faults_and_another_gives_others() -> None:
    assert plan(1, 200, 1.5, SITES) == plan(1, 200, 1.5, SITES)
    assert plan(1, 200, 1.5, SITES) != plan(2, 200, 1.5, SITES)


def test_there_are_as_many_faults_as_asked_in_their_order_one_in_each_interval() -> None:
    faults = plan(3, 500, 2.0, SITES)
    assert [fault.number for fault in faults] == list(range(1, 501))
    assert all(2.0 * (fault.number - 1) <= fault.at_seconds <= 2.0 * fault.number for fault in faults)


def test_each_kind_occurs_once_before_any_occurs_twice_and_then_by_its_weight() -> None:
    kinds = len(schedule.WEIGHTS)
    assert {fault.what for fault in plan(4, kinds, 1, SITES)} == set(schedule.WEIGHTS)
    counts = Counter(fault.what for fault in plan(5, 2000, 1, SITES))
    assert counts[schedule.KILL] == max(counts.values())
    assert counts[schedule.KILL_BROKER] == min(counts.values())


def test_every_service_is_killed_stopped_and_has_its_clock_set_both_ways() -> None:
    faults = plan(6, 3000, 1, SITES)
    services = {"index", *(f"{site}-{name}" for site in SITES for name in ("matcher", "history", "back-check"))}
    struck = {what: {fault.of for fault in faults if fault.what == what} for what in schedule.WEIGHTS}
    assert struck[schedule.KILL] == struck[schedule.CLOCK] == services
    assert struck[schedule.STOP] == {*services, "kafka", "redis"}
    assert {fault.amount > 0 for fault in faults if fault.what == schedule.CLOCK} == {True, False}
    assert max(fault.lasts_seconds for fault in faults if fault.what == schedule.STOP) > 6, "it loses its partitions"


def test_a_fault_says_in_words_what_it_strikes_and_for_how_long() -> None:
    fault = schedule.Fault(1.0, 1, schedule.CLOCK, "calais-matcher", 2.5, -3600)
    assert str(fault) == "clock set of calais-matcher (-3600 s) for 2.5 s"
    assert str(schedule.Fault(1.0, 1, schedule.KILL, "index")) == "kill -9 of index"
