"""Look-ups, topics whose reads are much like the plate, and what a plain scan of every stored sighting finds."""

from datetime import date, datetime
from typing import Any, NamedTuple

from hypothesis import strategies as st

from anpr.contracts.events import TIERS, Read, ReadIdentity
from anpr.contracts.look_up import LookUp
from anpr.history.look_up import HistoryLookUp
from anpr.history.retention import KeptStores
from anpr.history.sighting import Sighting
from anpr.kafka.interfaces import Record
from anpr.matching.index import Index
from tests.support.history import SITE, at, everything, read_record, record_all
from tests.support.reference_matcher import answers
from tests.support.sites import a_look_up
from tests.support.strategies import an_entry, generation

COUNTRIES = st.sampled_from((None, None, "GB", "UK", "FR", "DE"))
# Few characters, so that plates are alike; of each pair one is often read for the other.
plates = st.text("AB8O0I12CDE", min_size=3, max_size=8)
seconds = st.integers(0, 5)
MOST_RECORDS = 6
numbers_noted = st.integers(0, MOST_RECORDS)


class Found(NamedTuple):
    """What a look-up says of a read."""

    read: Read
    arrived_at: datetime
    tier: str
    probability: float


@st.composite
def texts_like(draw: st.DrawFn, plate: str) -> str:
    """Draw what a camera may read of a plate: some edits, spaces, marks and words around it."""
    characters = list(plate)
    for _ in range(draw(st.integers(0, 2))):
        position = draw(st.integers(0, len(characters)))
        written = draw(st.sampled_from(("", "A", "8", "B", "O", "?", "*", "1", "X", " ", "-", ".")))
        characters[position : position + draw(st.integers(0, 1))] = written
    if draw(st.booleans()) and len(characters) > 1:
        position = draw(st.integers(0, len(characters) - 2))
        characters[position : position + 2] = reversed(characters[position : position + 2])
    before, behind = (
        draw(st.sampled_from(("", "", "", "", "GB", "F ", "D-", "TAXI"))),
        draw(st.sampled_from(("", "", "", "75", "GB", "_"))),
    )
    return (before + "".join(characters) + behind)[:64]


@st.composite
def topics(draw: st.DrawFn, plate: str) -> list[Record]:
    """Draw records of the reads topic: most of the plate or much like it, some twice."""
    texts = st.one_of(texts_like(plate), texts_like(plate), plates)
    records = []
    for offset in range(draw(st.integers(1, MOST_RECORDS))):
        fields: dict[str, Any] = {
            "plate": draw(texts),
            "country": draw(COUNTRIES),
            "confidence": draw(st.none() | st.sampled_from((0.2, 0.6, 0.95))),
            "candidates": tuple({"plate": text} for text in draw(st.lists(texts, max_size=2))),
            "read_id": draw(st.sampled_from(("again", f"read-{offset}", f"read-{offset}"))),
            "captured_at": at(0),
        }
        records.append(read_record(offset, draw(seconds), **fields))
    return records


@st.composite
def cases(draw: st.DrawFn, asked: st.SearchStrategy[str] = plates) -> tuple[LookUp, list[Record]]:
    """Draw a look-up and a topic whose reads are much like the plate."""
    plate = draw(asked)
    since = draw(st.integers(-1, 3))
    period = {"since": at(since), "until": at(draw(st.integers(since + 1, 7)))}
    text = plate if draw(st.booleans()) else draw(st.sampled_from(("{}-{}", "{} {}"))).format(plate[:2], plate[2:])
    return a_look_up(text, country=draw(COUNTRIES), **period), draw(topics(plate))


def found_by_search(
    stores: KeptStores, look_up: LookUp, records: list[Record], noted: int
) -> tuple[list[Found], list[Sighting]]:
    """Look up what was read, in empty stores. The keys of the days are noted when so many records had come."""
    in_order = sorted(records, key=lambda record: record.offset)
    record_all(stores.sightings, *in_order[:noted])
    while stores.sightings.note_held_keys(date.max):
        pass
    record_all(stores.sightings, *in_order[noted:])
    answer = HistoryLookUp(SITE, stores).find(look_up, covert=False)
    assert answer.is_whole
    found = [Found(each.read, each.arrived_at, each.tier, each.probability) for each in answer.sightings]
    return found, everything(stores.sightings)


def found_by_scan(look_up: LookUp, sightings: list[Sighting], *, by_engine: bool) -> list[Found]:
    """Compare every sighting with the plate, by the engine or by the reference matcher."""
    found: dict[ReadIdentity, Found] = {}
    for sighting in sorted(sightings, key=lambda sighting: (sighting.arrived_at, sighting.offset)):
        read = sighting.read
        countries = {"GB" if code == "UK" else code for code in (look_up.country, read.country) if code}
        if len(countries) > 1 or not look_up.since <= sighting.arrived_at < look_up.until:
            continue
        # Who gives no country means every one.
        meant = {look_up.country} if look_up.country else {None, read.country}
        matches = [
            (TIERS.index(match.tier), -match.score)
            for country in meant
            for entry in [an_entry(plate=look_up.plate, country=country, tolerance="near")]
            for match in (
                Index.build([entry], generation(1)).match([read])[0] if by_engine else answers(read, [entry])
            )
        ]
        if matches and read.identity not in found:
            tier, score = min(matches)
            found[read.identity] = Found(read, sighting.arrived_at, TIERS[tier], -score)
    return list(found.values())


def same(found: list[Found], expected: list[Found]) -> bool:
    """Return whether these are the same reads, after a check that the newest comes first."""
    assert [each.arrived_at for each in found] == sorted((each.arrived_at for each in found), reverse=True)
    return {each.read.identity: each for each in found} == {each.read.identity: each for each in expected}
