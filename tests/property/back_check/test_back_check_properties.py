"""A back-check finds what the dry run finds, and with live matching nothing is lost, whatever happens when."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from anpr.back_check import back_check
from anpr.back_check.back_check import BackCheck, MatchedWith
from anpr.back_check.search import Progress, Search
from anpr.backtest.replay import BacktestReplay
from anpr.contracts import turned_away
from anpr.contracts.events import Alert, Candidate, Entry, Generation, Read
from anpr.contracts.local_days import UTC_DAYS
from anpr.kafka.topic_ends import PartitionEnds
from anpr.matcher.alerts import raise_alerts
from anpr.matching.index import Index
from tests.support.back_check import SOURCES, AlertsInMemory, SightingsInMemory, active, back_check_of
from tests.support.history import written
from tests.support.list_oracle import untrue
from tests.support.strategies import NOON, a_read, an_entry, generation

LATE_AFTER = timedelta(minutes=1)
BEFORE, AFTER = generation(1), generation(2)

plates = st.text("AB8O01I2CDE", min_size=4, max_size=8)
texts = st.text("AB8O01I2CDE?", min_size=4, max_size=8)
listed_texts = plates | plates | plates | plates.map(lambda plate: plate[:3] + "*")


@st.composite
def misread(draw: st.DrawFn, plate: str) -> str:
    """Draw a text in which a character of the plate is another, is missing, or is there twice."""
    at = draw(st.integers(0, len(plate) - 1))
    return plate[:at] + draw(st.sampled_from(("", "?", "X", plate[at] * 2))) + plate[at + 1 :]


@st.composite
def passing_reads(draw: st.DrawFn, listed: Sequence[str]) -> list[Read]:
    """Draw reads of which many are of a listed vehicle, or a misread of it."""
    found = []
    for number in range(draw(st.integers(1, 8))):
        vehicle = draw(st.sampled_from(listed)).replace("*", "XY")
        text = draw(st.just(vehicle) | misread(vehicle) | texts)
        around = draw(st.sampled_from(("", "", "", "GB", "F ", "TAXI")))
        fields: dict[str, Any] = {"plate": around + text, "country": draw(st.sampled_from((None, "GB", "FR", "DE")))}
        if draw(st.booleans()):
            fields |= {"plate": draw(texts), "candidates": (Candidate(plate=text, confidence=0.6),)}
        if number and draw(st.booleans()):
            fields["supersedes"] = str(number - 1)
        found.append(a_read(str(number), confidence=draw(st.none() | st.sampled_from((0.2, 0.9))), **fields))
    return found


@st.composite
def lists(draw: st.DrawFn) -> list[Entry]:
    """Draw the entries of a list: those of an earlier generation, and new ones."""
    return [
        an_entry(
            str(number),
            plate=plate,
            revision=draw(st.sampled_from((BEFORE, AFTER))),
            tolerance=draw(st.sampled_from(("exact", "tolerant", "near", "near", "later"))),
            handling=draw(st.sampled_from(("open", "covert"))),
            list=draw(st.sampled_from(("stolen", turned_away.LIST))),
            valid_from=draw(st.sampled_from((None, NOON + timedelta(days=1)))),
            valid_until=NOON + timedelta(days=draw(st.sampled_from((2, 2, -1)))),
            sites=draw(st.sampled_from(((), ("calais",), ("dunkerque",)))),
        )
        for number, plate in enumerate(draw(st.lists(listed_texts, min_size=1, max_size=5)))
    ]


def facts(alerts: Sequence[Alert]) -> dict[str, tuple[object, ...]]:
    return {a.alert_id: (a.kind, a.plate, a.tier, a.score, a.explanation, a.entry, a.read.read_id) for a in alerts}


@given(st.data(), lists(), st.booleans())
def test_it_raises_what_the_dry_run_raises_for_the_new_entries(
    data: st.DataObject, listed: list[Entry], by_keys: bool
) -> None:
    reads = data.draw(passing_reads([entry.plate for entry in listed]))
    replay = BacktestReplay(listed, LATE_AFTER, UTC_DAYS, is_back_check=True)
    raised = [alert for read in reads for alert in replay.match_line(written(read))[1]]

    sightings, alerts = SightingsInMemory(), AlertsInMemory()
    for number, read in enumerate(reads):
        sightings.store(read, number % 2)
    index = Index.build([entry for entry in listed if entry.revision == BEFORE], BEFORE)
    index = index.with_changes([entry for entry in listed if entry.revision == AFTER], (), AFTER)
    scan = Search(after=BEFORE, upto=AFTER, since=NOON, done=())
    progress = Progress(checked=BEFORE) if by_keys else Progress(checked=AFTER, searches=(scan,))
    check = back_check_of(sightings, alerts, progress)
    check.note_list(active(index))
    check.run_once(index, None)
    if by_keys and sightings.asked_by_keys:
        assert facts(alerts.published) == facts([alert for alert in raised if alert.entry.revision == AFTER])
    while check.run_once(index, None):
        pass
    assert facts(alerts.published) == facts([alert for alert in raised if alert.entry.revision == AFTER])


class Port:
    """A port whose matcher, history and back-check are as far as a test lets them be, and what each list held."""

    def __init__(self) -> None:
        self.topic: list[Read] = []
        self.matched = self.learnt = 0
        self.sightings, self.alerts = SightingsInMemory(), AlertsInMemory()
        self.listed: dict[str, Entry] = {}
        self.index = self.matchers_index = Index.build([], generation(1))
        self.contents: dict[Generation, list[Entry]] = {self.index.generation: []}
        self.check = self.new_check(Progress())
        self.saved = b""
        self.save()

    def new_check(self, progress: Progress) -> BackCheck:
        return back_check_of(self.sightings, self.alerts, progress, known=self.known)

    def known(self, alerts: Sequence[Alert]) -> set[str]:
        """Return what history has stored of the alerts that were published."""
        return {a.alert_id for a in alerts} & {a.alert_id for a in self.alerts.published[: self.learnt]}

    def save(self) -> None:
        self.saved = msgspec.json.encode(self.check.progress)

    def is_killed(self) -> None:
        self.check = self.new_check(msgspec.json.decode(self.saved, type=Progress))

    def vehicle_passes(self, plate: str) -> None:
        self.topic.append(a_read(f"read-{len(self.topic)}", plate=plate))

    def list_changes(self, plate: str, entry_id: str) -> None:
        new = generation(self.index.generation.number + 1)
        self.listed[entry_id] = an_entry(entry_id, plate=plate, revision=new, tolerance="exact")
        self.index = self.index.with_changes([self.listed[entry_id]], (), new)
        self.contents[new] = [*self.listed.values()]

    def entry_leaves(self, entry_id: str) -> None:
        new = generation(self.index.generation.number + 1)
        self.listed.pop(entry_id, None)
        self.index = self.index.with_changes((), [entry_id], new)
        self.contents[new] = [*self.listed.values()]

    def list_becomes_active(self) -> None:
        self.matchers_index = self.index

    def matcher_matches(self) -> None:
        for read in self.topic[self.matched :][:2]:
            raised = raise_alerts([read], self.matchers_index, NOON, LATE_AFTER, UTC_DAYS)
            self.alerts.publish([alert for alert in raised if isinstance(alert, Alert)])
            self.matched += 1

    def matcher_is_killed(self) -> None:
        """Its last batch was not committed: it is matched again, perhaps with a newer list."""
        self.matched = max(0, self.matched - 2)

    def history_stores(self) -> None:
        stored = len(self.sightings.stored[SOURCES[0]])
        for read in self.topic[stored:][:2]:
            self.sightings.store(read)

    def history_is_replayed(self) -> None:
        """Its store was lost, and is filled again from the topic."""
        self.sightings.stored[SOURCES[0]].clear()

    def history_learns_of_alerts(self) -> None:
        self.learnt = len(self.alerts.published)

    def back_check_goes_on(self) -> bool:
        self.check.note_list(active(self.index))
        # Killed before it commits, a matcher reads from there on with the list of that time.
        ends = {("topic-1", 0): PartitionEnds(0, len(self.topic)), ("topic-1", 1): PartitionEnds(5, 5)}
        return self.check.run_once(self.index, MatchedWith(self.matchers_index.generation, ends)) is not None


STEPS = (
    *("list_becomes_active", "matcher_matches", "history_stores", "save", "is_killed"),
    *("matcher_is_killed", "history_is_replayed", "history_learns_of_alerts"),
    *("back_check_goes_on", "back_check_goes_on", "back_check_goes_on"),
)
few_plates = st.sampled_from(("AB12CDE", "KL34XYZ"))
scripts = st.lists(
    st.sampled_from([(name,) for name in STEPS])
    | st.tuples(st.just("vehicle_passes"), few_plates)
    | st.tuples(st.just("list_changes"), few_plates, st.sampled_from("xy"))
    | st.tuples(st.just("entry_leaves"), st.sampled_from("xy")),
    min_size=10,
    max_size=60,
)


# The vehicle passes after the search has begun, and a matcher still has the older list.
@example(
    [
        ("list_changes", "AB12CDE", "x"),
        *[("back_check_goes_on",)] * 3,
        ("vehicle_passes", "AB12CDE"),
        ("matcher_matches",),
        ("list_becomes_active",),
        *[("back_check_goes_on",)] * 3,
    ],
    1,
)
@given(scripts, st.integers(1, 3))
def test_whatever_happens_when_each_vehicle_has_its_alert_and_every_search_ends(
    script: list[tuple[str, ...]], piece: int
) -> None:
    port = Port()
    with patch.object(back_check, "PIECE_OFFSETS", piece):
        for name, *arguments in script:
            getattr(port, name)(*arguments)
        port.list_becomes_active()
        for _ in port.topic:
            port.matcher_matches()
            port.history_stores()
            port.back_check_goes_on()
        while port.back_check_goes_on():
            pass
    expected = BacktestReplay(port.listed.values(), LATE_AFTER, UTC_DAYS, is_back_check=True)
    ids = {alert.alert_id for read in port.topic for alert in expected.match_line(written(read))[1]}
    published = port.alerts.published
    # The board withdraws the alerts of an entry that has left, and those of another plate that it had.
    plates_listed = {entry_id: entry.plate for entry_id, entry in port.listed.items()}
    assert ids == {a.alert_id for a in published if plates_listed.get(a.entry.entry_id) == a.entry.plate}
    assert list(untrue(published, port.contents)) == []
    assert not port.check.progress.searches
