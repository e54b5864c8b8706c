"""The list keeper is killed again and again while vehicles are turned away: the list ends as the outcomes say."""

import random
from datetime import timedelta

from anpr.contracts import topics, turned_away
from anpr.contracts.events import Action, Alert, Entry, Generation, encode
from anpr.kafka.producer import KafkaProducer
from anpr.local.processes import wait_until
from anpr.runtime.clock import system_clock
from tests.support.entries import entry
from tests.support.installation import Installation
from tests.support.strategies import a_read, an_action, an_alert, an_entry

# What becomes of a vehicle that was turned away, and whether it is on the list in the end.
FATES = {"stays": True, "comes twice": True, "covert": True, "undone": False, "other plate": False, "over": False}
VEHICLES = 30
KILLED_AFTER = (8, 18)


class Ports:
    """What officers at the ports do, on the topics of their sites."""

    def __init__(self, it: Installation) -> None:
        self._it = it
        self._producer = KafkaProducer(it.kafka)
        self._draw = random.Random(14)
        self.expected: dict[str, bool] = {}

    def turn_away(self, number: int, fate: str) -> None:
        """Let a vehicle come, be turned away, and meet its fate."""
        plate, site = f"TA{number:02}AWY", self._it.sites[number % len(self._it.sites)]
        handling = "covert" if fate == "covert" else "open"
        at = system_clock() - timedelta(hours=25 if fate == "over" else 0)
        read = a_read(plate, site=site, plate=plate, captured_at=at)
        alert = an_alert(read, an_entry(plate, plate=plate, handling=handling))
        outcome = an_action(f"away-{plate}", "outcome", alert, site=site, at=at, outcome="turned_away")
        facts: list[Alert | Action] = [alert, outcome]
        if fate == "undone":
            facts.append(an_action(f"undo-{plate}", "retracted", alert, site=site, retracts=outcome.action_id))
        elif fate == "other plate":
            facts.append(an_action(f"check-{plate}", "plate_check", alert, site=site, plate_check="different"))
        elif fate == "comes twice":
            facts += [outcome, alert]
        if self._draw.random() < 0.5:  # the topics of alerts and actions have no common order
            facts.append(facts.pop(0))
        for fact in facts:
            self._put(fact, is_covert=handling == "covert")
        self.expected[plate] = FATES[fate]

    def end(self) -> None:
        assert wait_until(lambda: self._producer.flush(1) == 0, 60)

    def _put(self, fact: Alert | Action, *, is_covert: bool) -> None:
        if isinstance(fact, Alert):
            topic = topics.of_alert(fact)
        else:
            topic = topics.of_action(topics.AddressedAction(fact, is_covert))
        self._producer.produce(topic, None, encode(fact))
        self._producer.flush(0)


def listed(it: Installation) -> dict[str, Entry]:
    manifest = it.store.read_manifest()
    assert manifest is not None
    return {one.plate: one for one in it.store.load(manifest) or () if one.list == turned_away.LIST}


def generation(it: Installation) -> Generation:
    manifest = it.store.read_manifest()
    assert manifest is not None
    return manifest.generation


def test_wherever_the_keeper_is_killed_the_list_ends_as_the_outcomes_say(installation: Installation) -> None:
    it, draw = installation, random.Random(2)
    it.store.apply("stolen", [entry("1", "AB12CDE")], "test", system_clock())
    it.start("keep", "watchlist", "keep")
    ports = Ports(it)
    fates = [*FATES, *draw.choices(list(FATES), k=VEHICLES - len(FATES))]
    last = generation(it)
    for number, fate in enumerate(fates):
        ports.turn_away(number, fate)
        if number in KILLED_AFTER:
            ports.end()
            assert wait_until(lambda since=last: generation(it) > since, 120)  # type: ignore[misc]
            it.supervisor.kill("keep")  # in the middle of the others
            last = generation(it)
    ports.end()
    expected = {plate for plate, is_listed in ports.expected.items() if is_listed}
    assert wait_until(lambda: listed(it).keys() == expected, 120), listed(it).keys() ^ expected
    covert = {plate for plate, one in listed(it).items() if one.is_covert}
    assert covert == {
        plate for (plate, _), fate in zip(ports.expected.items(), fates, strict=True) if fate == "covert"
    }
    assert all(len(one.sites) == len(it.sites) - 1 for one in listed(it).values())

    number_before = generation(it).number
    it.supervisor.kill("keep")
    ports.turn_away(VEHICLES, "stays")
    ports.end()
    assert wait_until(lambda: len(listed(it)) == len(expected) + 1, 120)
    assert generation(it).number == number_before + 1, "of what it read again nothing was changed"
