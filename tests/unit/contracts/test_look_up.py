"""A question about a vehicle names the asker, the reason and a period; an answer travels as JSON."""

from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from anpr.contracts.events import Explanation, Undecodable
from anpr.contracts.look_up import FoundSighting, LookUp, SightingsAnswer
from tests.support.history import EVENING, SITE
from tests.support.strategies import a_read, an_action, an_alert, an_entry

ASKED: dict[str, Any] = {
    "plate": "AB12CDE",
    "since": "2026-11-01T00:00:00Z",
    "until": "2026-12-01T00:00:00Z",
    "reason": "seen leaving the lane",
    "user": "officer-1",
    "role": "officer",
    "asking_site": "dover",
}


def decoded(**fields: Any) -> LookUp:
    return msgspec.json.decode(msgspec.json.encode(ASKED | fields), type=LookUp)


def test_a_question_travels_as_json() -> None:
    assert decoded(country="FR") == msgspec.convert(ASKED | {"country": "FR"}, LookUp)
    assert decoded().country is None


@pytest.mark.parametrize(
    "fields",
    [
        {"plate": ""},
        {"plate": "A" * 65},
        {"country": "France"},
        {"since": "2026-12-01T00:00:00"},
        {"since": ASKED["until"]},
        {"until": "2026-10-01T00:00:00Z"},
        {"reason": ""},
        {"reason": "x" * 501},
        {"user": ""},
        {"role": ""},
        {"asking_site": ""},
    ],
)
def test_a_question_without_a_reason_an_asker_or_a_period_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(Undecodable):
        decoded(**fields)


@pytest.mark.parametrize("name", ASKED)
def test_every_field_but_the_country_must_be_there(name: str) -> None:
    with pytest.raises(Undecodable):
        msgspec.json.decode(msgspec.json.encode({key: ASKED[key] for key in ASKED if key != name}), type=LookUp)


def test_an_answer_travels_as_json_with_alerts_and_actions() -> None:
    read = a_read(captured_at=EVENING)
    alert = an_alert(read, an_entry())
    found = FoundSighting(
        site=SITE,
        read=read,
        arrived_at=EVENING + timedelta(milliseconds=20),
        tier="folded",
        probability=0.25,
        explanation=Explanation(read_as="AB12CDE", listed_as="A812CDE"),
        alerts=(alert,),
        actions=(an_action("1", "claimed", alert),),
    )
    answer = SightingsAnswer(site=SITE, sightings=(found,), is_whole=False, kept_since=date(2026, 11, 1))
    assert msgspec.json.decode(msgspec.json.encode(answer), type=SightingsAnswer) == answer


@pytest.mark.parametrize(
    ("tier", "is_this_plate"),
    [("exact", True), ("equivalent", True), ("pattern", True), ("folded", False), ("near", False), ("new", False)],
)
def test_only_a_plate_that_was_read_as_asked_is_this_plate(tier: str, *, is_this_plate: bool) -> None:
    explanation = Explanation(read_as="AB12CDE", listed_as="AB12CDE")
    found = FoundSighting(
        site=SITE, read=a_read(), arrived_at=EVENING, tier=tier, probability=0.5, explanation=explanation
    )
    assert found.is_this_plate is is_this_plate
