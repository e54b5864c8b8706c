from hypothesis import given
from hypothesis import strategies as st

from anpr.contracts.plates import country_of
from anpr.matching.encoding.inner_plates import INNER_PLATES
from anpr.matching.encoding.plate_codes import country_text, encode_plates
from anpr.matching.encoding.words_around import WORDS_BEFORE, WORDS_BEHIND, inner_plates
from anpr.matching.scoring.background_model import BACKGROUND_MODEL

plates = st.sampled_from(("AB12CDE", "A1234567", "AB123CD", "MAB1234", "WX12345", "AB1")) | st.text("AB12?")
texts = st.builds(
    "{}{}{}".format,
    st.just("") | st.sampled_from(sorted(WORDS_BEFORE)),
    plates,
    st.just("") | st.sampled_from(sorted(WORDS_BEHIND)),
)
reads = st.tuples(texts, st.sampled_from((None, "GB", "FR", "DE", "UK", "XK")))


@given(st.lists(reads, min_size=1, max_size=8))
def test_a_batch_is_searched_for_the_plates_that_each_text_may_hold(reads: list[tuple[str, str | None]]) -> None:
    encoded = encode_plates([text for text, _ in reads], [country for _, country in reads])
    are_rare = BACKGROUND_MODEL.has_rare_layout(encoded).tolist()
    expected = {
        (row, inner.plate, inner.country or (country and country_of(country)), round(inner.share, 12))
        for row, (_, country) in enumerate(reads)
        for inner in inner_plates(encoded.text(row), country, has_rare_layout=are_rare[row])
    }
    found = INNER_PLATES.find(encoded)
    assert expected == {
        (row, found.plates.text(at), country_text(int(found.plates.countries[at])), round(share, 12))
        for at, (row, share) in enumerate(zip(found.read_rows.tolist(), found.shares.tolist(), strict=True))
    }
