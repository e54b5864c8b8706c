from collections.abc import Sequence
from datetime import date, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace

from anpr.contracts.events import Candidate, Entry, Read
from anpr.contracts.local_days import LocalDays
from anpr.contracts.plates import canonical_pattern, is_pattern, unknown_letters
from anpr.matching import index as index_module
from anpr.matching.encoding.text_codes import columns_of_texts
from anpr.matching.index import Index
from tests.support.reference_matcher import LETTERS_AND_DIGITS, Answer, answers
from tests.support.strategies import a_read, an_entry, generation, minutes

# A character, and others: one drawn alike, one often confused with it, one unlike it.
RESEMBLING = {"O": "O0QA", "0": "0ODA", "I": "I1LA", "1": "1IA", "B": "B8A", "8": "8BA", "A": "A4B"}
# So few moments that a capture is often exactly at the edge of an entry's validity.
moments = st.integers(0, 4).map(minutes)
sites = st.sampled_from(("calais", "dover", "dunkerque"))
# Midnight comes in the middle of these moments at two of the sites.
ZONES: dict[str, tzinfo] = {
    "calais": ZoneInfo("Europe/Paris"),
    "dover": timezone(-timedelta(hours=12, minutes=3)),
    "dunkerque": timezone(timedelta(hours=11, minutes=58)),
}
DAYS = LocalDays(ZONES)
days = st.none() | st.sampled_from((date(2026, 2, 28), date(2026, 3, 1), date(2026, 3, 2)))
directions = st.sampled_from(("uk_bound", "fr_bound", "seaward"))
countries = st.sampled_from((None, "GB", "UK", "FR"))
shares = st.none() | st.sampled_from((0.0, 0.5, 0.99, 1.0))
# Lengths on both sides of the ends of the index's words, and of the longest plate.
lengths = st.sampled_from((1, 2, 3, 3, 4, 7, 8, 9, 12, 13, 15, 16, 17))


@st.composite
def first_plates(draw: st.DrawFn) -> str:
    length = draw(lengths)
    return draw(st.text("O0I1B8A", min_size=length, max_size=length))


@st.composite
def plates(draw: st.DrawFn, first: str) -> str:
    """Draw a plate much like the first one: with confused characters, one or two edits, or another spelling."""
    plate = [draw(st.sampled_from(RESEMBLING[character] + character * 8)) for character in first]
    for _ in range(draw(st.sampled_from((0, 0, 1, 1, 1, 2)))):
        position = draw(st.integers(0, len(plate)))
        change = draw(st.sampled_from(("insert", "delete", "substitute", "swap")))
        if change == "insert":
            plate.insert(position, draw(st.sampled_from("A0XK")))
        elif change == "delete":
            del plate[position : position + 1]
        elif change == "substitute":
            plate[position : position + 1] = draw(st.sampled_from("A0XK"))
        else:
            plate[position : position + 2] = reversed(plate[position : position + 2])
    text = "".join(plate)
    return draw(st.sampled_from((text, f"{text[:1]} {text[1:].lower()}")))


@st.composite
def read_texts(draw: st.DrawFn, first: str) -> str:
    """Draw a text much like the first plate, perhaps with a character or two that are not understood."""
    text = draw(plates(first))
    for _ in range(draw(st.sampled_from((0, 0, 0, 1, 1, 2)))):
        position, length = draw(st.integers(0, len(text))), draw(st.sampled_from((0, 1)))
        text = text[:position] + draw(st.sampled_from("?Жж\ufffd*_%#[")) + text[position + length :]
    return text


@st.composite
def patterns(draw: st.DrawFn, first: str) -> str:
    """Draw the first plate with wildcards for some of its characters, or between them."""
    plate = draw(plates(first))
    pieces = [
        draw(st.sampled_from((character, character, character, "?", "*", f"*{character}"))) for character in plate
    ]
    return canonical_pattern("".join(pieces) + draw(st.sampled_from(("", "*"))))


# Texts that cannot be plates. The candidates of such a read may be plates all the same.
no_plates = st.sampled_from(("", "·", "Ж?", "A" * 17))


def reads_of(first: str) -> st.SearchStrategy[Read]:
    candidates = st.lists(st.builds(Candidate, plate=read_texts(first), confidence=shares), max_size=2).map(tuple)
    return st.builds(
        a_read,
        plate=read_texts(first) | no_plates,
        captured_at=moments,
        site=sites,
        direction=st.none() | directions,
        country=countries,
        confidence=shares,
        candidates=st.just(()) | candidates,
    )


@st.composite
def lists(draw: st.DrawFn, first: str, ids: str = "abcdef") -> list[Entry]:
    entry_ids = draw(st.lists(st.text(ids, min_size=1, max_size=3), max_size=12, unique=True))
    return [
        an_entry(
            entry_id,
            plate=draw(plates(first) | patterns(first)),
            tolerance=draw(st.sampled_from(("exact", "tolerant", "near", "near", "generous"))),
            valid_from=draw(st.none() | moments),
            valid_until=draw(moments | st.just(minutes(1_000))),
            valid_from_day=draw(days),
            valid_until_day=draw(days),
            sites=draw(st.just(()) | st.lists(sites, max_size=2).map(tuple)),
            directions=draw(st.just(()) | st.lists(directions, max_size=2).map(tuple)),
            country=draw(countries),
        )
        for entry_id in entry_ids
    ]


World = tuple[list[Entry], list[Read]]


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Draw a list and reads with plates so alike that each read matches some entries and nearly matches others."""
    first = draw(first_plates())
    return draw(lists(first)), draw(st.lists(reads_of(first), max_size=8))


def found(index: Index, read: Sequence[Read]) -> list[list[Answer]]:
    return [
        [Answer(m.entry.entry_id, m.tier, m.score, m.explanation.read_as, m.explanation.listed_as) for m in matches]
        for matches in index.match(read, DAYS)
    ]


@given(worlds())
def test_the_index_finds_what_reading_the_whole_list_finds(world: World) -> None:
    entries, batch = world
    assert found(Index.build(entries, generation(1)), batch) == [answers(read, entries, ZONES) for read in batch]


@pytest.mark.parametrize("plate", ["", "XY99ZZZ", "A" * 17])
@pytest.mark.parametrize(("confidence", "score"), [(None, 0.25), (0.0, 0.01), (0.6, 0.6)])
def test_a_candidate_finds_what_it_fits_whatever_was_read(plate: str, confidence: float | None, score: float) -> None:
    entries = [an_entry("pattern", plate="AB12*"), an_entry("plate", plate="AB12CDE")]
    read = a_read(plate=plate, candidates=(Candidate(plate="AB12CDE", confidence=confidence),), confidence=0.9)
    [matches] = found(Index.build(entries, generation(1)), [read])
    assert matches == answers(read, entries)
    assert [match.entry_id for match in matches] == ["pattern", "plate"]
    assert [match.score for match in matches] == pytest.approx([score, score], rel=0.01)


@given(worlds())
def test_a_british_vehicle_is_matched_alike_whether_it_is_called_gb_or_uk(world: World) -> None:
    entries, batch = world

    def called(name: str) -> list[list[Answer]]:
        british = {"GB": name, "UK": name}
        of_entries = [replace(entry, country=british.get(entry.country or "", entry.country)) for entry in entries]
        of_reads = [replace(read, country=british.get(read.country or "", read.country)) for read in batch]
        return found(Index.build(of_entries, generation(1)), of_reads)

    assert called("GB") == called("UK") == found(Index.build(entries, generation(1)), batch)


@st.composite
def badged_worlds(draw: st.DrawFn) -> World:
    """Return a list of plates as some country has them, all valid, and reads of such with letters before them."""
    badges = st.sampled_from(("GB", "UK", "F", "D", "B", "PL", "IRL", "NL", "E", "P", "GBD", ""))
    first = draw(st.sampled_from(("AB18BIO", "AB118OB", "1BOB018", "AB1801", "1801BBB", "OA801B", "BOA1808")))
    alike = st.just(first) | plates(first)
    entries = [
        an_entry(str(number), plate=draw(alike), country=draw(countries), tolerance=tolerance)
        for number, tolerance in enumerate(draw(st.lists(st.sampled_from(("exact", "tolerant", "near")), max_size=6)))
    ]
    texts = draw(st.lists(st.builds(str.__add__, badges, alike), max_size=6))
    return entries, [a_read(plate=text, country=draw(countries), confidence=draw(shares)) for text in texts]


@given(badged_worlds())
def test_plates_behind_prefixes_are_found_as_reading_the_whole_list_finds_them(world: World) -> None:
    entries, batch = world
    assert found(Index.build(entries, generation(1)), batch) == [answers(read, entries, ZONES) for read in batch]


@st.composite
def spaced(draw: st.DrawFn, text: str) -> str:
    """Draw a text with gaps at some positions."""
    gaps = st.sampled_from(("", "", "", "-", " ", "·"))
    return draw(st.sampled_from(("", "", "_"))) + "".join(character + draw(gaps) for character in text)


@st.composite
def district_worlds(draw: st.DrawFn) -> World:
    """Draw plates and patterns of nearly one text with gaps at any positions, and reads of such texts."""
    texts = st.sampled_from(
        ("BMW555", "8MW555", "BMV555", "BMW55", "BMW555E", "DBMW555", "HROA1", "ABCDE123", "MW555")
    )
    patterns = st.sampled_from(("BMW5*", "B?W555", "BMW*", "*MW555", "BMW?55"))
    of_country = st.sampled_from((None, "DE", "AT", "GB"))
    entries = [
        an_entry(
            str(number), plate=draw(spaced(draw(texts | patterns))), country=draw(of_country), tolerance=tolerance
        )
        for number, tolerance in enumerate(draw(st.lists(st.sampled_from(("tolerant", "near")), max_size=6)))
    ]
    entries = [replace(entry, plate=entry.plate.lstrip("_")) for entry in entries]
    candidates = st.lists(st.builds(Candidate, plate=texts.flatmap(spaced), confidence=shares), max_size=1).map(tuple)
    batch = st.lists(
        st.builds(a_read, plate=texts.flatmap(spaced), country=of_country, candidates=candidates), max_size=4
    )
    return entries, draw(batch)


@given(district_worlds())
def test_plates_of_several_districts_are_found_as_reading_the_whole_list_finds_them(world: World) -> None:
    entries, batch = world
    assert found(Index.build(entries, generation(1)), batch) == [answers(read, entries) for read in batch]


def in_two_lines(text: str, split: int) -> str:
    return text[split:] + text[:split]


def twice(text: str) -> str:
    return text * 2


@st.composite
def worlds_with_text_around(draw: st.DrawFn) -> World:
    """Return a list of plates in common and in rare layouts, and reads of such with text around them."""
    before = st.sampled_from(("", "", "GB", "UK", "F", "IRL", "RKS", "CZ", "TAXI", "POLSKA", "I", "XQ"))
    behind = st.sampled_from(("", "", "62", "2A", "0410", "MI", "05MI", "GB", "PL", "F", "TAXI", "310527", "99"))
    first = draw(
        st.sampled_from(("A1800018", "AB180BO", "OI180AB", "08B1", "ABB108", "OAB180", "1ABO108", "AB18BOB"))
    )
    alike = st.just(first) | plates(first)
    tolerances = st.lists(st.sampled_from(("exact", "tolerant", "near", "near")), max_size=5)
    entries = [
        an_entry(str(number), plate=draw(alike), country=draw(countries), tolerance=tolerance)
        for number, tolerance in enumerate(draw(tolerances))
    ]
    lines = st.builds(in_two_lines, alike, st.integers(1, 5))
    one = st.builds("{}{}{}".format, before, alike, behind) | st.builds(twice, alike) | lines
    texts = draw(st.lists(one, max_size=5))
    return entries, [a_read(plate=text, country=draw(countries), confidence=draw(shares)) for text in texts]


@given(worlds_with_text_around())
def test_plates_inside_texts_are_found_as_reading_the_whole_list_finds_them(world: World) -> None:
    entries, batch = world
    assert found(Index.build(entries, generation(1)), batch) == [answers(read, entries) for read in batch]


@given(st.data())
def test_after_any_changes_the_index_answers_like_one_built_from_the_whole_list(data: st.DataObject) -> None:
    with pytest.MonkeyPatch.context() as patch:  # so that few entries make several deltas
        patch.setattr(index_module, "_ALWAYS_JOINED", data.draw(st.sampled_from((0, 1000))))
        patch.setattr(index_module, "_JOIN_FACTOR", data.draw(st.sampled_from((0, 1, 8))))
        check_changes(data)


def check_changes(data: st.DataObject) -> None:
    first = data.draw(first_plates())
    entries = data.draw(lists(first))
    index, listed = Index.build(entries, generation(0)), {entry.entry_id: entry for entry in entries}
    for number in range(1, data.draw(st.integers(1, 4)) + 1):
        put = data.draw(lists(first, "abcdefgh"))
        removed = data.draw(st.lists(st.sampled_from(sorted(listed) or ["a"]) | st.just("never listed"), max_size=5))
        before, batch = index, data.draw(st.lists(reads_of(first), max_size=4))
        answered = before.match(batch)
        index = before.with_changes(put, removed, generation(number))
        listed = {name: entry for name, entry in listed.items() if name not in removed}
        listed |= {entry.entry_id: entry for entry in put}
        rebuilt = Index.build(listed.values(), generation(number))
        assert index.match(batch) == index.compacted().match(batch) == rebuilt.match(batch)
        assert (index.generation, index.size) == (rebuilt.generation, rebuilt.size)
        assert {entry.entry_id: entry for entry in index.entries()} == listed
        assert before.match(batch) == answered, "the old index does not change"


@given(worlds().filter(lambda world: world[0] != []), st.data())
def test_every_valid_entry_is_found_by_its_own_plate(world: World, data: st.DataObject) -> None:
    entries = [replace(entry, valid_from_day=None, valid_until_day=None) for entry in world[0]]
    entry = data.draw(st.sampled_from(entries))
    assume(not is_pattern(entry.plate))
    read = a_read(
        plate=entry.plate,
        captured_at=max(entry.valid_from or minutes(-1), minutes(-1)),
        site=(*entry.sites, "calais")[0],
        direction=data.draw(st.sampled_from(entry.directions or ("uk_bound", None))),
    )
    [matches] = found(Index.build(entries, generation(1)), [read])
    is_valid = entry.valid_from is None or entry.valid_from < entry.valid_until
    is_plate = 1 <= len(entry.plate.replace(" ", "")) <= 16
    assert ((entry.entry_id, "exact") in [(answer.entry_id, answer.tier) for answer in matches]) is (
        is_valid and is_plate
    )


@given(first_plates(), st.data())
def test_a_letter_that_no_table_knows_never_makes_a_read_exact_or_alike(first: str, data: st.DataObject) -> None:
    entries, text = data.draw(lists(first)), data.draw(plates(first))
    position = data.draw(st.integers(0, len(text)))
    unknown = data.draw(st.characters(categories=["Lo"]).filter(unknown_letters))
    index = Index.build(entries, generation(1))
    plate = text[:position] + unknown + text[position:]
    [matches] = index.match([a_read(plate=plate)])
    assert {match.tier for match in matches} <= {"near", "pattern"}
    # Of the whole plate: Unicode may combine the letter with the one before it into another letter.
    named = repr(unknown_letters(plate)[:8])
    assert all(any(named in note for note in match.explanation.notes) for match in matches)


@given(worlds(), st.data())
def test_where_a_batch_is_cut_never_changes_the_answers(world: World, data: st.DataObject) -> None:
    entries, batch = world
    index = Index.build(entries, generation(1))
    cut = data.draw(st.integers(0, len(batch)))
    assert index.match(batch[:cut]) + index.match(batch[cut:]) == index.match(batch)


@given(worlds())
def test_a_batch_gives_what_its_reads_give_one_by_one(world: World) -> None:
    entries, batch = world
    index = Index.build(entries, generation(1))
    assert [index.match([read])[0] for read in batch] == index.match(batch)


@given(worlds(), st.data())
def test_the_order_of_the_list_never_changes_the_answers(world: World, data: st.DataObject) -> None:
    entries, batch = world
    shuffled = data.draw(st.permutations(entries))
    assert Index.build(shuffled, generation(1)).match(batch) == Index.build(entries, generation(1)).match(batch)


@given(worlds(), countries, shares, st.data())
def test_more_evidence_never_removes_an_exact_match(
    world: World, country: str | None, confidence: float | None, data: st.DataObject
) -> None:
    entries, batch = world
    index = Index.build(entries, generation(1))
    for read in batch:
        candidates = data.draw(st.lists(plates("A0").map(lambda plate: Candidate(plate=plate)), max_size=3))
        with_more = replace(read, country=country, confidence=confidence, candidates=(*read.candidates, *candidates))
        [before], [after] = index.match([read]), index.match([with_more])
        exact_before = {match.entry.entry_id for match in before if match.tier == "exact"}
        assert exact_before <= {match.entry.entry_id for match in after if match.tier == "exact"}


@pytest.mark.parametrize(("plate", "tier"), [("AB12CD0", "equivalent"), ("A812CDO", "folded"), ("AB12CO", "near")])
@pytest.mark.parametrize("confidence", [0.0, 0.01, 0.5, 1.0])
def test_a_candidate_makes_no_match_less_sure(plate: str, tier: str, confidence: float) -> None:
    entries = [an_entry("listed", plate="AB12CDO", country="GB", tolerance="near")]
    index = Index.build(entries, generation(1))
    read = a_read(plate=plate, country="GB", confidence=0.8)
    with_more = replace(read, candidates=(Candidate(plate="AB12CDO", confidence=confidence),))
    [[before]], [[after]] = index.match([read]), index.match([with_more])
    assert (before.tier, after.tier) == (tier, "exact")
    assert after.score >= before.score


@given(
    st.lists(st.text(LETTERS_AND_DIGITS + "?*", max_size=18), max_size=30),
    st.lists(st.text(st.characters() | st.characters(categories=["Cs"]), max_size=64), max_size=30),
)
def test_no_text_of_any_length_or_script_makes_it_fail(listed: list[str], texts: list[str]) -> None:
    entries = [an_entry(str(number), plate=plate, tolerance="near") for number, plate in enumerate(listed)]
    index = Index.build(entries, generation(1))
    reads = [a_read(plate=text) for text in texts]
    assert len(index.match(reads)) == len(reads)
    pairs = index.snapshot.search(columns_of_texts(texts, [None] * len(texts), [None] * len(texts)), index.likelihood)
    assert len(pairs.read_rows) == sum(map(len, index.match(reads)))
