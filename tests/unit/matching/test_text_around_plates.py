"""Text around a plate, read as part of it, does not hide a listed vehicle; and it makes no alarm of a stranger."""

from collections.abc import Iterable
from dataclasses import replace
from operator import itemgetter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anpr.contracts.events import Candidate, Difference
from anpr.matching.encoding.inner_plates import INNER_PLATES
from anpr.matching.encoding.plate_codes import country_text, encode_plates
from anpr.matching.encoding.words_around import inner_plates
from anpr.matching.index import Index, Match
from anpr.matching.scoring.background_model import BACKGROUND_MODEL
from anpr.matching.scoring.likelihood import Likelihood
from tests.support.strategies import a_read, an_entry, generation


def matches(
    read: str, listed: str, *, of: str | None = None, camera: str | None = None, size: int = 1_000, **entry: str
) -> list[Match]:
    """Match one read with a list of that many entries, of which this is one."""
    wanted = an_entry(plate=listed, country=of, **({"tolerance": "near"} | entry))
    index = Index.build([wanted, an_entry("other", plate="ZZ99ZZZ", tolerance="near")], generation(1))
    [found] = replace(index, likelihood=Likelihood(size)).match([a_read(plate=read, country=camera)])
    return found


def taken_off(differences: Iterable[Difference]) -> list[tuple[str, str]]:
    return [(difference.read, difference.why) for difference in differences if not difference.listed]


# Read, listed, the listed country, and the words that the explanation must hold.
BADGES = [
    ("UKA1234567", "A123 4567", "GB", "letters of GB"),
    ("GBABC123", "ABC 123", "GB", "letters of GB"),
    ("UK123D456", "123 D 456", "GB", "letters of GB"),
    ("IRL04D1", "04-D-1", "IE", "letters of IE"),
    ("CZEL123AB", "EL 123 AB", "CZ", "letters of CZ"),
    ("GB12AB", "12 AB", "GB", "letters of GB"),
    ("UKABC12D", "ABC 12D", "GB", "letters of GB"),
    ("GBA12BCD", "A12 BCD", "GB", "letters of GB"),
    ("GBJJ12345", "J 12345", "JE", "letters of JE"),
    ("GBG12345", "12345", "GG", "letters of GG"),
    ("GBMMAN123A", "MAN 123 A", "IM", "letters of IM"),
    ("UKAIG1", "AIG 1", "GB", "letters of GB"),
    ("RKS01123AB", "01-123-AB", "XK", "letters of XK"),
    ("PLW0KROL", "W0 KROL", "PL", "letters of PL"),
    ("NLBXDL01", "BX-DL-01", "NL", "letters of NL"),
    ("NL12AB34", "12-AB-34", "NL", "letters of NL"),
    ("CHZH1", "ZH 1", "CH", "letters of CH"),
    ("ROB012345", "B 012345", "RO", "letters of RO"),
    ("LTT12345", "T 12345", "LT", "letters of LT"),
    ("UA12345AB", "123-45 AB", "UA", "letters of UA"),
    ("TR34A1234567", "34 A 1234567", "TR", "letters of TR"),
    ("MNEPGAB123", "PG AB123", "ME", "letters of ME"),
    ("GBRAB12CDE", "AB12 CDE", "GB", "letters of GB"),
    ("FAB123C", "AB 123 C", "FR", "letters of FR"),
    ("IMIA12345", "MI A12345", "IT", "letters of IT"),
    ("EM1234AB", "M-1234-AB", "ES", "letters of ES"),
    ("FRAB123CD", "AB-123-CD", "FR", "letters of FR"),
    ("BE1ABC123", "1-ABC-123", "BE", "letters of BE"),
    ("ES1234BCD", "1234 BCD", "ES", "letters of ES"),
    ("DEHHAB1234", "HH-AB 1234", "DE", "letters of DE"),
    ("PTAB12CD", "AB-12-CD", "PT", "letters of PT"),
    ("SEABC12D", "ABC 12D", "SE", "letters of SE"),
    ("ELABC1234", "ABC-1234", "GR", "letters of GR"),
    ("XKX01123AB", "01-123-AB", "XK", "letters of XK"),
    ("XK01123AB", "01-123-AB", "XK", "letters of XK"),
]
BEHIND = [
    ("AB123CD62", "AB-123-CD", "FR", "French department"),
    ("AB123CD2A", "AB-123-CD", "FR", "French department"),
    ("AB123CD974", "AB-123-CD", "FR", "French department"),
    ("MAB1230410", "M-AB 123", "DE", "German season"),
    ("BAB1231103", "B-AB 123", "DE", "German season"),
    ("MAB123310527", "M-AB 123", "DE", "German season or validity"),
    ("AB123CDMI", "AB 123 CD", "IT", "Italian year and province"),
    ("AB123CD05", "AB 123 CD", "IT", "Italian year and province"),
    ("AB123CD05MI", "AB 123 CD", "IT", "Italian year and province"),
    ("AB123CDTO14", "AB 123 CD", "IT", "Italian year and province"),
    ("12AB349812", "12-AB-34", "PT", "Portuguese year and month"),
    ("AB12CDEGB", "AB12 CDE", "GB", "letters of GB"),
    ("WA12345PL", "WA 12345", "PL", "letters of PL"),
    ("1ABC123B", "1-ABC-123", "BE", "letters of BE"),
    ("ABC12AS", "ABC 12A", "SE", "letters of SE"),
    ("ABC123LT", "ABC 123", "LT", "letters of LT"),
    ("AB123CDFR", "AB-123-CD", "FR", "letters of FR"),
    ("AB123CDFRA", "AB-123-CD", "FR", "letters of FR"),
]
WORDS = [
    ("AB12CDELOGISTICS", "AB12 CDE", "GB", "a word on the vehicle"),
    ("AB123CDSPEDITION", "AB-123-CD", "FR", "a word on the vehicle"),
    ("12AB34NEDERLAND", "12-AB-34", "NL", "a country's name"),
    ("SCANIAAB12CDE", "AB12 CDE", "GB", "a word on the vehicle"),
    ("AB12CDETAXI", "AB12 CDE", "GB", "a word on the vehicle"),
    ("POLSKAWA12345", "WA 12345", "PL", "a country's name"),
    ("LUIMNEACH04L123", "04-L-123", "IE", "the county on an Irish plate"),
]
TWICE = [
    ("AB12CDEAB12CDE", "AB12 CDE", "GB", "read it twice"),
    ("AB123CDAB123CD", "AB-123-CD", "FR", "read it twice"),
    ("MAB1234MAB1234", "M-AB 1234", "DE", "read it twice"),
    ("EL123ABEL123AB", "EL 123 AB", "CZ", "read it twice"),
    ("AB12CDEAB12CDX", "AB12 CDE", "GB", "read it twice"),
    ("AB1?CDEAB12CDE", "AB12 CDE", "GB", "read it twice"),
    ("MAB1284MAB1234", "M-AB 1234", "DE", "read it twice"),
    ("AB12S4AB1234", "AB-12-34", "NL", "read it twice"),
    ("AB123CDA8123CD", "AB-123-CD", "FR", "read it twice"),
]
TWO_LINES = [
    ("CDEAB12", "AB12 CDE", "GB", "second line"),
    ("123CDAB", "AB-123-CD", "FR", "second line"),
    ("12345WA", "WA 12345", "PL", "second line"),
    ("BCDA123", "A123 BCD", "GB", "second line"),
    ("1234567A", "A123 4567", "GB", "second line"),
]


ALL = [*BADGES, *BEHIND, *WORDS, *TWICE, *TWO_LINES]


@pytest.mark.parametrize(("read", "listed", "country", "why"), ALL)
def test_a_plate_with_text_around_it_is_found_near_and_explained(
    read: str, listed: str, country: str, why: str
) -> None:
    for camera in (None, country):
        [match] = matches(read, listed, of=country, camera=camera)
        assert match.tier in {"near", "folded"}
        assert why in " ".join(reason for _, reason in taken_off(match.explanation.differences))
        assert match.plate == match.explanation.listed_as


def test_nothing_is_left_out_of_the_explanation() -> None:
    [match] = matches("FAB123CD62", "AB-123-CD", of="FR")
    assert [(each.read, each.listed, each.read_place) for each in match.explanation.differences] == [
        ("F", "", 1),
        ("62", "", 9),
    ]


@pytest.mark.parametrize(("read", "listed", "country"), [row[:3] for row in (*BADGES, *BEHIND, *WORDS, *TWO_LINES)])
def test_an_entry_that_allows_only_its_own_plate_is_not_found_so(read: str, listed: str, country: str) -> None:
    assert matches(read, listed, of=country, tolerance="exact") == []


def test_an_entry_that_tolerates_no_near_match_rings_only_behind_a_badge_and_a_common_layout() -> None:
    found = {read: matches(read, listed, of=country, tolerance="tolerant") for read, listed, country, _ in ALL}
    assert {read for read, matched in found.items() if matched} == {"GBA12BCD"}


def test_one_character_that_was_misread_behind_a_badge_is_found_too() -> None:
    for read in ("GBAB1?CDE", "UKA12B4567"):
        listed = "AB12 CDE" if "CDE" in read else "A123 4567"
        [match] = matches(read, listed, of="GB")
        assert match.tier == "near"
        assert match.score < matches(read.replace("?", "2").replace("B4", "34"), listed, of="GB")[0].score


@pytest.mark.parametrize(
    ("read", "listed", "country"),
    [
        ("AB1O3CD62", "AB-103-CD", "FR"),
        ("A8123CD974", "AB-123-CD", "FR"),
        ("MAB1Z30410", "M-AB 123", "DE"),
        ("M481230410", "M-AB 123", "DE"),
        ("AB12DCDMI", "AB 120 CD", "IT"),
        ("FAB1O3CD", "AB-103-CD", "FR"),
        ("FABI23CD62", "AB-123-CD", "FR"),
        ("FRA8123CD", "AB-123-CD", "FR"),
        ("SCANIAABI2CDE", "AB12 CDE", "GB"),
        ("1ABC1O3B", "1-ABC-103", "BE"),
    ],
)
def test_text_around_a_plate_with_a_lookalike_character_does_not_hide_it(
    read: str, listed: str, country: str
) -> None:
    for camera in (None, country):
        [match] = matches(read, listed, of=country, camera=camera)
        assert match.tier == "near"
        assert taken_off(match.explanation.differences)


def test_a_candidate_of_the_camera_may_have_text_around_it() -> None:
    index = Index.build([an_entry(plate="AB-123-CD", country="FR", tolerance="near")], generation(1))
    read = a_read(plate="XX999XX", country="FR", candidates=(Candidate(plate="AB123CD62", confidence=0.4),))
    [[match]] = index.match([read])
    assert match.tier == "near"
    assert match.score == pytest.approx(0.4, rel=0.01)


TEXTS = st.text("ABDEFGILNPRSU0123456789?", max_size=10)


@given(
    st.lists(
        st.builds(
            "{}{}{}".format,
            st.sampled_from(("", "GB", "UK", "IRL", "F", "D", "POLSKA", "RKS", "TAXI", "SCANIA")),
            TEXTS | TEXTS.map(lambda text: text[:8] * 2),
            st.sampled_from(("", "62", "2B", "971", "0410", "MI", "05MI", "F", "GB", "TAXI", "310527")),
        ),
        max_size=8,
    ),
    st.sampled_from((None, "GB", "FR", "DE", "IT", "IE", "XK")),
)
def test_a_batch_finds_the_inner_plates_that_are_listed_for_each_text(texts: list[str], camera: str | None) -> None:
    reads = encode_plates(texts, [camera] * len(texts))
    rare = BACKGROUND_MODEL.has_rare_layout(reads)
    listed = [
        (row, inner.plate, inner.country or camera, pytest.approx(inner.share))
        for row in range(len(texts))
        for inner in inner_plates(reads.text(row), camera, has_rare_layout=bool(rare[row]))
    ]
    inside = INNER_PLATES.find(reads)
    found = [
        (int(row), inside.plates.text(at), country_text(int(inside.plates.countries[at])), float(inside.shares[at]))
        for at, row in enumerate(inside.read_rows)
    ]
    assert len(found) == len(listed)
    key = itemgetter(0, 1)
    for row, plate in {(row, plate) for row, plate, _, _ in found}:
        of_found, of_listed = ([each for each in side if key(each) == (row, plate)] for side in (found, listed))
        assert all(each in of_listed for each in of_found)


@pytest.mark.parametrize(
    ("read", "listed", "camera"),
    [
        # a plate by itself, as its camera says: the letters are not of that country
        ("LV12ABC", "12ABC", "GB"),
        # no text of these that stands beside plates
        ("AB123CD2C", "AB-123-CD", "FR"),
        ("MAB1231313", "MAB123", "DE"),
        ("XQAB12CDE", "AB12CDE", None),
        # the right band of one country, the badge of another
        ("DAB123CD62", "AB123CD", "FR"),
        # what is left is no plate of that country
        ("ABCDEFG62", "ABCDEFG", "FR"),
    ],
)
def test_other_text_is_not_taken_off(read: str, listed: str, camera: str | None) -> None:
    assert matches(read, listed, camera=camera) == []


@pytest.mark.parametrize(
    ("read", "camera"),
    [
        ("AB12CDE", "GB"),
        ("GB12ABC", "GB"),
        ("DAB1234", "DE"),
        ("AB123CD", "FR"),
        ("1234AB62", "FR"),
        ("WA12345", "PL"),
        ("1ABC123", "BE"),
        ("1234BCD", "ES"),
    ],
)
def test_in_a_long_list_a_common_plate_is_nobody_elses(read: str, camera: str) -> None:
    """At a million entries, a plate in a common layout of its country finds no plate inside itself."""
    inside = [read[start:end] for start in range(3) for end in range(len(read) - 2, len(read) + 1)]
    inside += [read[start:] + read[:start] for start in range(1, len(read))]
    for listed in {*inside} - {read}:
        assert [match.tier for match in matches(read, listed, camera=camera, size=1_000_000)] in ([], ["near"])
        assert all(match.score < 0.1 for match in matches(read, listed, camera=camera, size=1_000_000))
