"""For any German plate: however it is written it is one entry, and with another district it is another vehicle."""

from hypothesis import assume, given
from hypothesis import strategies as st

from anpr.contracts.plates import canonical
from anpr.matching.index import Index
from anpr.watchlist.entry_identity import entry_id
from tests.support.strategies import a_read, an_entry, generation

GAPS = st.sampled_from(("-", " ", "·", " - ", "\u2013", "\u00a0", "."))


@st.composite
def german_plates(draw: st.DrawFn) -> tuple[str, str, str]:
    """Draw a district, the letters behind it, and the digits with what may follow them."""
    # Not Ä: before a middle dot it is what a wrong decoding makes of another letter, and no district ends with it.
    district = draw(st.text("ABÖMÜS", min_size=1, max_size=3))
    letters = draw(st.text("AMWOI", min_size=1, max_size=2))
    number = draw(st.integers(1, 9999))
    return district, letters, f"{number}{draw(st.sampled_from(('', '', 'E', 'H')))}"


@st.composite
def written(draw: st.DrawFn, district: str, letters: str, digits: str) -> str:
    """Draw a way to write a plate with the gap behind its district."""
    text = district + draw(GAPS) + letters + draw(GAPS | st.just("")) + digits
    return draw(st.sampled_from((text, text.lower(), text.replace("Ü", "U\u0308"))))


def id_of(plate: str) -> str:
    return entry_id("stolen", plate, canonical(plate), "DE")


def is_found(listed: str, read: str) -> bool:
    entry = an_entry(plate=listed, country="DE", tolerance="tolerant")
    [matches] = Index.build([entry], generation(1)).match([a_read(plate=read, country="DE")])
    return [match.tier for match in matches] == ["exact"]


@given(german_plates(), st.data())
def test_a_german_plate_is_one_entry_however_its_gaps_are_written(
    plate: tuple[str, str, str], data: st.DataObject
) -> None:
    one, other = data.draw(written(*plate)), data.draw(written(*plate))
    assert id_of(one) == id_of(other)
    assert is_found(one, other)


@given(german_plates(), st.sampled_from((-1, 1)), st.data())
def test_a_german_plate_of_another_district_is_another_vehicle(
    plate: tuple[str, str, str], step: int, data: st.DataObject
) -> None:
    district, letters, digits = plate
    start = len(district) + step
    both = district + letters
    assume(1 <= start <= 3 and 1 <= len(both) - start <= 2)
    one = data.draw(written(*plate))
    other = data.draw(written(both[:start], both[start:], digits))
    without = both + data.draw(GAPS | st.just("")) + digits
    assert len({id_of(one), id_of(other), id_of(without)}) == 3
    assert not is_found(one, other)
    assert is_found(one, without)
    assert is_found(other, without)
    assert is_found(without, one)
