from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from anpr.events import Entry, Read
from anpr.matching.index import Index
from tests.reference_matcher import Answer, answers
from tests.strategies import a_read, an_entry, generation, minutes

# A character and what it is drawn like, nearly so, or not at all.
RESEMBLING = {"O": "O0A", "0": "0OA", "I": "I1A", "1": "1IA", "B": "B8A", "8": "8BA", "A": "A"}
# So few moments that a capture is often on the very edge of an entry's validity.
moments = st.integers(0, 4).map(minutes)
sites = st.sampled_from(("calais", "dover", "dunkerque"))
directions = st.sampled_from(("uk_bound", "fr_bound", "seaward"))


@st.composite
def plates(draw: st.DrawFn, first: str) -> str:
    """Return a plate that is much like the first one, in one of the ways in which it may be written."""
    plate = "".join(draw(st.sampled_from(RESEMBLING[character])) for character in first)
    plate += draw(st.sampled_from(("", "", "", "A", "0")))
    return draw(st.sampled_from((plate, f"{plate[:1]} {plate[1:].lower()}")))


def reads_of(first: str) -> st.SearchStrategy[Read]:
    return st.builds(
        a_read,
        plate=plates(first),
        captured_at=moments,
        site=sites,
        direction=st.none() | directions,
        country=st.sampled_from((None, "GB", "FR")),
    )


World = tuple[list[Entry], list[Read]]


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Return a list and reads of plates so alike that each read matches some entries and nearly matches others."""
    first = draw(st.text("O0I1B8A", min_size=1, max_size=3))
    entry_ids = draw(st.lists(st.text("abcdef", min_size=1, max_size=3), max_size=12, unique=True))
    entries = [
        an_entry(
            entry_id,
            plate=draw(plates(first)),
            tolerance=draw(st.sampled_from(("exact", "tolerant", "near", "generous"))),
            valid_from=draw(st.none() | moments),
            valid_until=draw(moments | st.just(minutes(1_000))),
            sites=draw(st.just(()) | st.lists(sites, max_size=2).map(tuple)),
            directions=draw(st.just(()) | st.lists(directions, max_size=2).map(tuple)),
            country=draw(st.sampled_from((None, "GB", "FR"))),
        )
        for entry_id in entry_ids
    ]
    return entries, draw(st.lists(reads_of(first), max_size=8))


def found(index: Index, read: Sequence[Read]) -> list[list[Answer]]:
    return [
        [
            Answer(match.entry.entry_id, match.tier, tuple(letter.place for letter in match.explanation.differences))
            for match in matches
        ]
        for matches in index.match(read)
    ]


@given(worlds())
def test_the_index_finds_what_reading_the_whole_list_finds(world: World) -> None:
    entries, batch = world
    assert found(Index(entries, generation(1)), batch) == [answers(read, entries) for read in batch]


@given(worlds().filter(lambda world: world[0] != []), st.data())
def test_every_entry_in_force_is_found_by_its_own_plate(world: World, data: st.DataObject) -> None:
    entries, _ = world
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


@given(worlds(), st.data())
def test_where_a_batch_is_cut_never_changes_the_answers(world: World, data: st.DataObject) -> None:
    entries, batch = world
    index = Index(entries, generation(1))
    cut = data.draw(st.integers(0, len(batch)))
    assert index.match(batch[:cut]) + index.match(batch[cut:]) == index.match(batch)


@given(worlds(), st.data())
def test_the_order_of_the_list_never_changes_the_answers(world: World, data: st.DataObject) -> None:
    entries, batch = world
    shuffled = data.draw(st.permutations(entries))
    assert Index(shuffled, generation(1)).match(batch) == Index(entries, generation(1)).match(batch)


@given(st.text("OI0", min_size=1), st.sampled_from(("GB", None)))
def test_a_surer_match_scores_more_and_another_country_costs_more_than_a_tier(
    plate: str, country: str | None
) -> None:
    alike = plate.translate(str.maketrans("OI0", "01O"))
    entries = [
        an_entry("a", plate=plate, country=country),
        an_entry("b", plate=alike, country=country),
        an_entry("c", plate=plate, country="FR"),
    ]
    [matches] = Index(entries, generation(1)).match([a_read(plate=plate, country="GB")])
    exact, equivalent, of_another_country = (match.score for match in matches)
    assert 1 >= exact > equivalent > of_another_country > 0
