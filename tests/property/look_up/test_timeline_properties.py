"""Whatever the sites answer, each sighting is shown once, and the newest come first."""

import itertools
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from anpr.contracts.look_up import FoundSighting
from anpr.look_up.timeline import Stay, seen_at, timeline_of
from tests.support.sightings import a_misread, a_sighting, an_answer
from tests.support.strategies import minutes

GAP = timedelta(minutes=30)
SITES = ("calais", "coquelles")
sightings = st.builds(
    lambda make, site, minute: make(site, minutes(minute)),
    st.sampled_from((a_sighting, a_misread)),
    st.sampled_from(SITES),
    st.integers(0, 300),
)


@given(st.lists(sightings, max_size=30, unique_by=lambda one: one.read.identity))
def test_each_sighting_is_in_one_stay_and_stays_are_parted_by_long_gaps(found: list[FoundSighting]) -> None:
    replies = [an_answer(site, *(one for one in found if one.site == site)) for site in SITES]
    made = timeline_of(replies, GAP)
    for stays, is_this_plate in ((made.stays, True), (made.possible_misreads, False)):
        shown = [one for stay in stays for one in stay.sightings]
        assert sorted(one.read.identity for one in shown) == sorted(
            one.read.identity for one in found if one.is_this_plate == is_this_plate
        )
        assert [stay.last_seen_at for stay in stays] == sorted((s.last_seen_at for s in stays), reverse=True)
        for stay in stays:
            check(stay)
        for site in SITES:
            here = [stay for stay in stays if stay.site == site]
            assert all(newer.first_seen_at - older.last_seen_at > GAP for newer, older in itertools.pairwise(here))


def check(stay: Stay) -> None:
    times = [seen_at(one) for one in stay.sightings]
    assert times == sorted(times, reverse=True)
    assert all(newer - older <= GAP for newer, older in itertools.pairwise(times))
    assert {one.site for one in stay.sightings} == {stay.site}
