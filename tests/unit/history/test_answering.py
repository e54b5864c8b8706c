"""Before a look-up is answered it is in the audit chain; what this site does not answer is refused."""

from typing import Any

import pytest

from anpr.audit.record import AuditEvent
from anpr.contracts.look_up import LookUp, SightingsAnswer
from anpr.contracts.sightings_api import SightingsRequest, request_of
from anpr.history.api.answering import Answering
from anpr.history.api.rate_limits import RateLimits
from anpr.history.api.refusals import MOST_RECORDS_A_MINUTE, Refusals
from anpr.runtime.errors import InputError, UnavailableError
from tests.support.sites import a_look_up, a_sighting

SITE = "calais"
FOUND = SightingsAnswer(site=SITE, sightings=(a_sighting(SITE), a_sighting(SITE)))


class Search:
    """Finds the same in each look-up, and notes what it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[LookUp, bool]] = []

    def find(self, look_up: LookUp, *, covert: bool) -> SightingsAnswer:
        self.asked.append((look_up, covert))
        return FOUND


class Chain:
    """An audit chain in memory, on a disk that may be full."""

    def __init__(self) -> None:
        self.events: list[AuditEvent] = []
        self.is_full = False

    def append(self, *events: AuditEvent) -> None:
        if self.is_full:
            raise UnavailableError("audit-unavailable", "no space left", "free space")
        self.events += events


class Site:
    def __init__(self) -> None:
        self.search, self.chain = Search(), Chain()
        self.answering = Answering(SITE, self.search, self.chain, RateLimits(2, 100, lambda: 0.0))

    def ask(self, asking: str, request: SightingsRequest) -> SightingsAnswer:
        return self.answering.answer(asking, request)


@pytest.fixture
def site() -> Site:
    return Site()


def a_request(asking_site: str = "dover", *, covert: bool = False, **given: Any) -> SightingsRequest:
    return request_of(a_look_up(asking_site=asking_site, **given), covert=covert)


def test_a_look_up_of_another_site_is_a_disclosure_and_one_of_its_own_a_consultation(site: Site) -> None:
    assert site.ask("dover", a_request(country="GB")) == FOUND
    assert site.ask(SITE, a_request(SITE)) == FOUND
    disclosure, consultation = site.chain.events
    assert disclosure == AuditEvent(
        operation="disclosure",
        what="look-up",
        user="ann",
        role="officer",
        reason="seen leaving the lane",
        plate="AB12CDE",
        details={
            "asking_site": "dover",
            "since": "2026-11-01T23:59:58+00:00",
            "until": "2026-11-30T23:59:58+00:00",
            "country": "GB",
            "sightings": "2",
        },
    )
    assert consultation.operation == "consultation"


def test_what_cannot_be_recorded_is_not_answered(site: Site) -> None:
    site.chain.is_full = True
    with pytest.raises(UnavailableError) as refusal:
        site.ask("dover", a_request())
    assert refusal.value.code == "audit-unavailable"


def test_another_site_gets_nothing_covert_and_may_not_ask_for_it(site: Site) -> None:
    site.ask("dover", a_request())
    assert [covert for _, covert in site.search.asked] == [False]
    with pytest.raises(InputError) as refusal:
        site.ask("dover", a_request(covert=True))
    assert refusal.value.code == "look-up-other-site"
    assert len(site.search.asked) == 1


def test_covert_alerts_are_for_the_sites_own_officers_who_may_see_them(site: Site) -> None:
    site.ask(SITE, a_request(SITE, covert=True))
    site.ask(SITE, a_request(SITE, user="bob"))
    assert [covert for _, covert in site.search.asked] == [True, False]
    assert [event.details.get("sightings") for event in site.chain.events] == [None, "2"], (
        "an auditor does not learn from a number that a covert alert keeps a sighting"
    )
    assert not any(event.covert for event in site.chain.events)


def test_nobody_asks_in_the_name_of_another_site(site: Site) -> None:
    for claimed in ("coquelles", SITE):
        with pytest.raises(InputError) as refusal:
            site.ask("dover", a_request(claimed))
        assert refusal.value.code == "look-up-other-site"
    assert not site.search.asked


def test_who_asks_too_often_is_refused_before_anything_is_searched(site: Site) -> None:
    for _ in range(2):
        site.ask("dover", a_request())
    with pytest.raises(InputError) as refusal:
        site.ask("dover", a_request())
    assert refusal.value.code == "look-up-too-often"
    assert len(site.search.asked) == len(site.chain.events) == 2


# --- refusals ---


def test_a_refusal_is_recorded_with_who_asked_for_what() -> None:
    chain = Chain()
    Refusals(SITE, chain).note("look-up-too-often", "dover", "192.0.2.1", a_request())
    (event,) = chain.events
    assert (event.operation, event.what, event.user, event.plate) == (
        "disclosure",
        "look-up refused",
        "ann",
        "AB12CDE",
    )
    assert event.details == {"code": "look-up-too-often", "asking_site": "dover", "address": "192.0.2.1"}


def test_a_token_that_is_not_accepted_is_recorded_without_the_token() -> None:
    chain = Chain()
    Refusals(SITE, chain).note("site-token-rejected", "", "192.0.2.1", None)
    (event,) = chain.events
    assert (event.operation, event.user) == ("sign-in", "")
    assert event.details == {"code": "site-token-rejected", "asking_site": "", "address": "192.0.2.1"}


def test_refusals_do_not_fill_the_disk_and_say_how_many_were_left_out() -> None:
    chain, now = Chain(), [0.0]
    refusals = Refusals(SITE, chain, lambda: now[0])
    for _ in range(MOST_RECORDS_A_MINUTE + 500):
        refusals.note("site-token-rejected", "", "192.0.2.1", None)
    assert len(chain.events) == MOST_RECORDS_A_MINUTE
    now[0] = 60
    refusals.note("site-token-rejected", "", "192.0.2.1", None)
    assert chain.events[-1].details["left_out_before"] == "500"


def test_a_refusal_is_answered_while_the_chain_cannot_be_written() -> None:
    chain = Chain()
    chain.is_full = True
    Refusals(SITE, chain).note("site-token-rejected", "", "192.0.2.1", None)
    assert not chain.events
