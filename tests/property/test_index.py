from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from anpr.events import Entry, Read
from anpr.matching.index import Index
from tests.reference_matcher import Answer, answers
from tests.strategies import a_read, an_entry, generation, minutes

# So few characters that a read is often the plate of an entry, or nearly so.
plates = st.text("O0I1B8A", min_size=1, max_size=4)
# So few moments that a capture is often on the very edge of an entry's validity.
moments = st.integers(0, 4).map(minutes)
sites = st.sampled_from(("calais", "dover", "dunkerque"))
directions = st.sampled_from(("uk_bound", "fr_bound", "seaward"))


def _as_written(plate: str) -> str:
    return f"{plate[:1]} {plate[1:].lower()}"


reads = st.builds(
    a_read,
    plate=plates | plates.map(_as_written),
    captured_at=moments,
    site=sites,
    direction=st.none() | directions,
    country=st.sampled_from((None, "GB", "FR")),
)


@st.composite
def watchlists(draw: st.DrawFn) -> list[Entry]:
    entry_ids = draw(st.lists(st.text("abcdef", min_size=1, max_size=3), max_size=25, unique=True))
    return [
        an_entry(
            entry_id,
            plate=draw(plates | plates.map(_as_written)),
            tolerance=draw(st.sampled_from(("exact", "tolerant", "near", "generous"))),
            valid_from=draw(st.none() | moments),
            valid_until=draw(moments | st.just(minutes(1_000))),
            sites=draw(st.just(()) | st.lists(sites, max_size=2).map(tuple)),
            directions=draw(st.just(()) | st.lists(directions, max_size=2).map(tuple)),
            country=draw(st.sampled_from((None, "GB", "FR"))),
        )
        for entry_id in entry_ids
    ]


def found(index: Index, read: Sequence[Read]) -> list[list[Answer]]:
    return [
        [
            Answer(match.entry.entry_id, match.tier, tuple(letter.place for letter in match.explanation.differences))
            for match in matches
        ]
        for matches in index.match(read)
    ]


@given(watchlists(), st.lists(reads, max_size=10))
def test_the_index_finds_what_reading_the_whole_list_finds(entries: list[Entry], batch: list[Read]) -> None:
    assert found(Index(entries, generation(1)), batch) == [answers(read, entries) for read in batch]


@given(watchlists().filter(bool), st.data())
def test_every_entry_in_force_is_found_by_its_own_plate(entries: list[Entry], data: st.DataObject) -> None:
    entry = data.draw(st.sampled_from(entries))
    read = a_read(
        plate=entry.plate,
        captured_at=max(entry.valid_from or minutes(-1), minutes(-1)),
        site=(*entry.sites, "calais")[0],
        direction=data.draw(st.sampled_from(entry.directions or ("uk_bound", None))),
    )
    [matches] = found(Index(entries, generation(1)), [read])
    in_force = entry.valid_from is None or entry.valid_from < entry.valid_until
    assert (Answer(entry.entry_id, "exact", ()) in matches) is in_force


@given(watchlists(), st.lists(reads, max_size=10), st.data())
def test_where_a_batch_is_cut_never_changes_the_answers(
    entries: list[Entry], batch: list[Read], data: st.DataObject
) -> None:
    index = Index(entries, generation(1))
    cut = data.draw(st.integers(0, len(batch)))
    assert index.match(batch[:cut]) + index.match(batch[cut:]) == index.match(batch)


@given(watchlists(), st.lists(reads, max_size=10), st.data())
def test_the_order_of_the_list_never_changes_the_answers(
    entries: list[Entry], batch: list[Read], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(entries))
    assert Index(shuffled, generation(1)).match(batch) == Index(entries, generation(1)).match(batch)


@given(watchlists(), st.lists(reads, max_size=10))
def test_a_surer_tier_never_scores_less(entries: list[Entry], batch: list[Read]) -> None:
    for read, matches in zip(batch, Index(entries, generation(1)).match(batch), strict=True):
        agreeing = [match for match in matches if None in (read.country, match.entry.country)]
        scores = {tier: {match.score for match in agreeing if match.tier == tier} for tier in ("exact", "equivalent")}
        assert all(0 < score <= 1 for match in matches for score in [match.score])
        if scores["exact"] and scores["equivalent"]:
            assert min(scores["exact"]) > max(scores["equivalent"])
