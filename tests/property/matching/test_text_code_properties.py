"""Each text of a batch is encoded as if it were alone, and each confidence stays with its character."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from anpr.contracts import plates
from anpr.matching.encoding.plate_codes import WIDTH, encode_plates
from anpr.matching.encoding.text_codes import encode_texts

any_text = st.text(st.characters() | st.characters(categories=["Cs"]) | st.sampled_from(" -_?\n.\0Ü0A"), max_size=20)
shares = st.floats(0, 1, width=32)
# What a read shows of a plate, with what separates or fills it.
written = st.text("AB12CDE78 -.", min_size=1, max_size=18) | st.text("AB12_\0 ", min_size=1, max_size=18)


@given(st.lists(any_text, max_size=6))
def test_texts_of_reads_are_encoded_as_those_of_lists(texts: list[str]) -> None:
    nothing: list[None] = [None] * len(texts)
    of_reads, of_lists = encode_texts(texts, nothing, nothing), encode_plates(texts, nothing)
    assert of_reads.texts() == of_lists.texts()
    assert of_reads.lengths.tolist() == of_lists.lengths.tolist()


@given(st.lists(st.tuples(written, st.booleans()), min_size=1, max_size=5), any_text, st.data())
def test_each_confidence_stays_with_its_character(
    written_texts: list[tuple[str, bool]], beside: str, data: st.DataObject
) -> None:
    """A camera gives one for each character of the text, or of the plate without separators."""
    texts, given_confidences, expected = list[str](), list[list[float]](), list[list[float]]()
    for text, is_of_plate in written_texts:
        plate = plates.as_read(text)
        texts.append(text)
        count = len(plate) if is_of_plate else len(text)
        confidences = data.draw(st.lists(shares, min_size=count, max_size=count))
        given_confidences.append(confidences)
        if len(plate) > WIDTH:
            expected.append([])
        elif count == len(plate):
            expected.append(confidences)
        else:
            start, end = len(text) - len(text.lstrip(" -._\0")), len(text.rstrip(" -._\0"))
            expected.append([confidences[at] for at in range(start, end) if text[at] not in " -."])
    nothing: list[None] = [None] * (len(texts) + 1)
    codes = encode_texts([*texts, beside], nothing, nothing, given_confidences)
    assert codes.char_confidences is not None
    for row, of_text in enumerate([*expected, []]):
        aligned = codes.char_confidences[row]
        assert aligned[: len(of_text)].tolist() == of_text
        assert np.isnan(aligned[len(of_text) :]).all()


@given(st.lists(written, min_size=1, max_size=4), st.lists(shares, max_size=20))
def test_confidences_of_another_number_than_characters_are_not_used(
    texts: list[str], confidences: list[float]
) -> None:
    codes = encode_texts(texts, [None] * len(texts), [None] * len(texts), [confidences] * len(texts))
    assert codes.char_confidences is not None
    for row, text in enumerate(texts):
        if len(confidences) not in {len(text), len(plates.as_read(text))}:
            assert np.isnan(codes.char_confidences[row]).all()
