"""Whatever a site answers to a look-up: it is refused as a whole, or every page, line and file can be made of it."""

import json
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from anpr.cli.vehicle_text import VehicleText
from anpr.console.vehicle.chart import chart_of
from anpr.console.vehicle.console_look_ups import LookUpResult
from anpr.console.vehicle.stay_view import stay_views
from anpr.contracts.look_up import FoundSighting, SightingsAnswer
from anpr.look_up.ask_sites import _reply
from anpr.look_up.export import csv_of, json_of
from anpr.look_up.last_seen import last_seen
from anpr.look_up.question import WrittenQuestion
from anpr.look_up.timeline import timeline_of
from anpr.runtime.images import ImageStore
from tests.property.console.test_hostile_record_properties import PERSON, SITES, ZONES, Screens
from tests.support import strategies
from tests.support.sites import a_look_up
from tests.support.spoilt import MOMENTS, spoilt
from tests.support.strategies import NOON

NO_IMAGES = cast("ImageStore", SimpleNamespace(holds=lambda *_: False))


@st.composite
def answers(draw: st.DrawFn) -> tuple[str, bytes]:
    """Return a site and its answer, of which some moments and numbers are spoilt."""
    site = draw(st.sampled_from(SITES))
    sighting = st.builds(
        FoundSighting,
        site=st.just(site),
        read=strategies.reads.map(lambda read: msgspec.structs.replace(read, site=site)),
        arrived_at=strategies.instants,
        tier=strategies.names,
        probability=strategies.shares,
        explanation=strategies.explanations,
        alerts=st.lists(strategies.alerts, max_size=2).map(tuple),
        actions=st.lists(strategies.actions, max_size=2).map(tuple),
    )
    kept_since = st.none() | st.sampled_from([datetime.fromisoformat(moment).date() for moment in MOMENTS])
    answer = st.builds(
        SightingsAnswer,
        site=st.just(site),
        sightings=st.lists(sighting, max_size=3).map(tuple),
        is_whole=st.booleans(),
        kept_since=kept_since,
    )
    whole = json.loads(msgspec.json.encode(draw(answer)))
    return site, json.dumps(draw(spoilt(whole)) if draw(st.booleans()) else whole).encode()


@settings(max_examples=60)
@given(given=st.lists(answers(), min_size=1, max_size=2, unique_by=lambda one: one[0]), zone=st.sampled_from(ZONES))
def test_an_answer_is_refused_or_can_be_shown_in_every_form(given: list[tuple[str, bytes]], zone: str) -> None:
    screens, look_up = Screens(zone), a_look_up()
    timeline = timeline_of([_reply(site, content) for site, content in given], timedelta(minutes=30))
    seen, misreads = (
        stay_views(stays, NO_IMAGES, PERSON.session, {}, NOON)
        for stays in (timeline.stays, timeline.possible_misreads)
    )
    values: dict[str, Any] = {"found": LookUpResult(look_up, timeline), "chart": chart_of(timeline, SITES)}
    screens.renderer.page(
        "vehicle.html",
        PERSON,
        written=WrittenQuestion("AB12CDE", "why"),
        asked_ports=(),
        seen=seen,
        misreads=misreads,
        **values,
    )
    assert last_seen(timeline, SITES)
    lines = list(VehicleText(screens.settings.sites, screens.settings.sites["calais"].zone).lines(look_up, timeline))
    assert all(line.isprintable() for line in lines)
    assert json.loads(json_of(look_up, timeline))
    assert csv_of(timeline, screens.settings.zones)
