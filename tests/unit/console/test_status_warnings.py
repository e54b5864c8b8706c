"""A stale screen never looks quiet: each fault that could hide a vehicle has a warning."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from anpr.board.back_checks import BackCheckHealth
from anpr.board.camera_liveness import CameraState
from anpr.board.journeys import ALWAYS, NEVER
from anpr.board.site_health import Canary, SiteHealth
from anpr.console.local_time import weekday_time_in
from anpr.console.status.status_warnings import status_warnings
from anpr.console.status.system_status import SystemStatus
from anpr.contracts import topics
from anpr.contracts.events import BackCheckStatus, Loss, Status
from anpr.contracts.losses import Losses, SiteLosses
from anpr.runtime.settings import Camera, Route, Settings, Site
from tests.support.losses import a_loss, acknowledged
from tests.support.strategies import NOON, generation

CAMERAS = tuple(Camera(f"camera-{number}", str(number), "front") for number in range(1, 6))
SETTINGS = Settings({"calais": Site("Calais", "k", "r", CAMERAS)})
CALAIS, DOVER = frozenset({"calais"}), frozenset({"dover"})
AT = weekday_time_in(UTC)
SEES = CameraState(NOON, 12, is_silent=False)
BLIND = CameraState(NOON, 12, is_silent=True)
STATUS = Status(
    site="calais",
    matcher="m",
    at=NOON,
    started_at=NOON,
    generation=generation(1),
    list_confirmed_at=NOON,
    partitions=1,
)


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def status(
    matcher: Status | None = STATUS, *, is_silent: bool = False, blind: int = 0, **fields: Any
) -> SystemStatus:
    given: dict[str, Any] = {
        "now": NOON,
        "opened_at": NOON - timedelta(hours=1),
        "unread_sites": frozenset(),
        "health": (SiteHealth("calais", (matcher,) if matcher else (), NOON, is_silent),),
        "cameras": {"calais": {c.name: BLIND if at < blind else SEES for at, c in enumerate(CAMERAS)}},
        "canaries": {"calais": Canary(NOON - seconds(30), NOON - seconds(29))},
        "unreadable_records": {},
        "missed_records": {},
        "reads_per_second": {"calais": 1.0},
        "problems_without_cameras": {},
        "losses": {},
    }
    return SystemStatus(**(given | fields))


def test_while_all_is_well_there_is_no_warning() -> None:
    assert status_warnings(status(), SETTINGS, "calais", AT) == ()


def test_the_board_of_a_port_says_since_when_nobody_meets_arrivals() -> None:
    def said(until: datetime, site: str = "calais", **fields: Any) -> tuple[str, ...]:
        return status_warnings(status(watched_until={site: until}, **fields), SETTINGS, "calais", AT)

    [words] = said(NOON - seconds(90))
    assert words == (
        "Calais: nobody has checked arrivals since Sun 11:58:30 UTC. "
        "Vehicles that have come are still shown as expected. "
        "Watch the vehicles that arrive yourself. Tell the engineer on call."
    )
    assert said(NEVER)[0].startswith("Calais: nobody checks arrivals. Vehicles")
    assert said(ALWAYS) == said(NEVER, site="dover") == ()
    assert len(said(NEVER, unread_sites=CALAIS)) == 1, "what was told may not have been read yet"
    assert len(said(NEVER, unread_sites=DOVER)) == 2, "a port that cannot be reached hides no fault of this one"


def test_the_boards_that_it_concerns_say_since_when_nobody_looks_for_newly_listed_vehicles() -> None:
    ferry = Route(origin="calais", destination="dover", by="ferry", crossing_minutes=90)
    shuttle = Route(origin="coquelles", destination="folkestone", by="shuttle", crossing_minutes=35)
    names = ("calais", "dover", "coquelles", "folkestone")
    ports = Settings({name: Site(name.title(), "k", "r") for name in names}, (ferry, shuttle))

    def said(
        looked_until: datetime, own: str = "calais", settings: Settings = ports, **fields: Any
    ) -> tuple[str, ...]:
        back_checks = {"calais": BackCheckHealth(None, looked_until)}
        return status_warnings(status(back_checks=back_checks, **fields), settings, own, AT)

    until = NOON - minutes_long(3)
    words = (
        "Calais: nobody has checked since Sun 11:57:00 UTC whether newly listed vehicles have passed already. "
        "If one has, it raises NO alert. Ask the operator of the list what is new. Look these vehicles up. "
        "Tell the engineer on call."
    )
    assert said(until) == said(until, "dover") == (words,)
    assert said(until, "folkestone") == (), "no ferry leads there from Calais"
    no_route = Settings(ports.sites)
    assert said(until, "folkestone", no_route) == (words,), "a port that no route leads to shows all of them"
    assert said(NEVER)[0].startswith("Calais: nobody checks whether newly listed vehicles have passed already. If")
    assert said(ALWAYS) == ()
    assert len(said(NEVER, unread_sites=CALAIS)) == 1, "what was told may not have been read yet"
    assert len(said(NEVER, unread_sites=DOVER)) == 2, "a port that cannot be reached hides no fault of this one"


def test_a_search_that_does_not_end_is_a_warning_and_one_of_some_minutes_is_none() -> None:
    def said(minutes: float) -> tuple[str, ...]:
        back_check = BackCheckStatus(
            site="calais", at=NOON, looked_up_to=generation(7), behind_since=NOON - minutes_long(minutes)
        )
        seen = status(back_checks={"calais": BackCheckHealth(back_check, ALWAYS)})
        return status_warnings(seen, SETTINGS, "calais", AT)

    assert said(20) == ()
    assert said(45)[0].startswith(
        "Calais: the check whether newly listed vehicles have passed already began at Sun 11:15:00 UTC and has not "
        "ended. Some may have raised NO alert yet. Ask the operator"
    )


def minutes_long(count: float) -> timedelta:
    return timedelta(minutes=count)


def changed(**fields: Any) -> Status:
    return msgspec.structs.replace(STATUS, **fields)


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (status(unread_sites=CALAIS), "not complete yet"),
        (status(is_silent=True), "Calais: cut off since Sun 12:00:00 UTC"),
        (
            status(health=(SiteHealth("calais", (), None, is_silent=True),)),
            "Calais: nothing received yet. Its vehicles are NOT on this screen.",
        ),
        (status(changed(partitions=0)), "Plates are NOT being checked"),
        (status(None), "Plates are NOT being checked"),
        (status(changed(generation=None)), "has no watchlist"),
        (status(changed(list_confirmed_at=None)), "saved on its disk"),
        (status(changed(list_confirmed_at=NOON - seconds(11))), "the watchlist is old"),
        (status(changed(alerts_too_large=2)), "the alerts of 2 reads were too large to write. They are NOT shown"),
        (status(canaries={}), "test plate has not come back. None has come yet"),
        (
            status(canaries={"calais": Canary(NOON - seconds(66), NOON - seconds(65))}),
            "The last one came at Sun 11:58:55",
        ),
        (
            status(canaries={"calais": Canary(NOON - seconds(30), NOON - seconds(24))}),
            "took more than 5 s. Alerts from there arrive late",
        ),
        (
            status(canaries={"calais": Canary(NOON - seconds(50), NOON - seconds(8))}),
            "slow: the test plate took more than 40",
        ),
        (status(blind=1), "camera camera-1 (lane 1) has seen nothing since Sun 12:00:00 UTC"),
        (status(blind=4), "4 of 5 cameras see nothing"),
        (status(blind=5), "no camera has seen anything since Sun 12:00:00 UTC. Watch the lanes yourself"),
        (
            status(unreadable_records={"anpr.calais.alerts.v1": 2}),
            "2 alerts from Calais cannot be read",
        ),
        (
            status(missed_records={"anpr.calais.alerts.v1": 1, "anpr.calais.actions.v1": 2}),
            "2 actions of officers from Calais and 1 alert from Calais were deleted before this console had read",
        ),
    ],
)
def test_each_fault_has_its_warning(seen: SystemStatus, words: str) -> None:
    assert any(words in warning for warning in status_warnings(seen, SETTINGS, "calais", AT)), status_warnings(
        seen, SETTINGS, "calais", AT
    )


def test_a_new_console_does_not_warn_of_canaries_that_it_could_not_see() -> None:
    just = status(opened_at=NOON - seconds(20), canaries={})
    assert status_warnings(just, SETTINGS, "calais", AT) == ()
    read_late = status(opened_at=NOON - seconds(5), canaries={"calais": Canary(NOON - seconds(40), NOON)})
    assert status_warnings(read_late, SETTINGS, "calais", AT) == ()


def test_the_warning_of_a_lasting_fault_stays_the_same_text() -> None:
    later = status(is_silent=True, now=NOON + seconds(7))
    assert status_warnings(later, SETTINGS, "calais", AT) == status_warnings(
        status(is_silent=True), SETTINGS, "calais", AT
    )


def test_the_warning_of_a_slow_site_does_not_change_with_each_test_plate() -> None:
    slow = [status(canaries={"calais": Canary(NOON - seconds(30), NOON - seconds(30 - took))}) for took in (6, 7.5)]
    assert status_warnings(slow[0], SETTINGS, "calais", AT) == status_warnings(slow[1], SETTINGS, "calais", AT) != ()


def losses(*lost: Loss, acknowledged_ones: Sequence[Loss] = ()) -> dict[str, SiteLosses]:
    fold = Losses(timedelta(days=7))
    for loss in (*lost, *acknowledged_ones):
        fold.add(loss)
    for loss in acknowledged_ones:
        fold.acknowledge(acknowledged(loss))
    return fold.by_site(NOON)


@pytest.mark.parametrize(
    ("lost", "words"),
    [
        (
            [a_loss(0, 4, 6)],
            "3 reads were deleted before they were checked, between Sun 12:00:00 UTC and Sun 12:08:00 UTC",
        ),
        ([a_loss(0, 4, 4)], "1 read was deleted before it was checked, between"),
        ([a_loss(0, 4, 6), a_loss(1, 0, 1)], "5 reads were deleted"),
        ([a_loss(0, 4, 6), a_loss(0, 4, 9)], "6 reads were deleted"),
        ([a_loss(0, 4, None)], "an unknown number of reads were deleted"),
        ([a_loss(0, 4, None), a_loss(1, 4, 6)], "at least 3 reads were deleted"),
        (
            [msgspec.structs.replace(a_loss(0, 4, 6), since=None)],
            "3 reads were deleted before they were checked, at some time before Sun 12:08:00 UTC.",
        ),
    ],
)
def test_deleted_reads_are_one_warning_of_their_port(lost: list[Loss], words: str) -> None:
    (warning,) = status_warnings(status(losses=losses(*lost)), SETTINGS, "calais", AT)
    assert warning.startswith(f"Calais: {words}")
    assert warning.endswith("A supervisor of Calais can acknowledge this on the Health page.")


def test_deleted_reads_that_a_person_has_acknowledged_are_no_warning() -> None:
    seen = losses(acknowledged_ones=[a_loss(0, 4, 6)])
    assert status_warnings(status(losses=seen), SETTINGS, "calais", AT) == ()
    one_more = losses(a_loss(0, 7, 7), acknowledged_ones=[a_loss(0, 4, 6)])
    (warning,) = status_warnings(status(losses=one_more), SETTINGS, "calais", AT)
    assert "1 read was deleted" in warning


def test_deleted_reads_are_shown_while_their_port_is_cut_off() -> None:
    warnings = status_warnings(status(is_silent=True, losses=losses(a_loss(0, 4, 6))), SETTINGS, "calais", AT)
    assert len(warnings) == 2
    assert "3 reads were deleted" in warnings[1]


PORTS = Settings(
    {name: Site(name.title(), "k", "r", CAMERAS) for name in ("calais", "coquelles", "dunkerque")}
    | {"dover": Site("Dover", "k", "r")}
)


def silent_since(**since: float) -> SystemStatus:
    """Return the status of ports that have been silent since so many seconds ago, and see nothing besides."""
    return status(
        health=tuple(SiteHealth(name, (), NOON - seconds(ago), is_silent=True) for name, ago in since.items()),
        canaries={},
        opened_at=NOON,
    )


def test_the_warning_says_what_to_do_at_this_port_and_about_another() -> None:
    elsewhere, here, at_dover = (
        status_warnings(silent_since(dunkerque=60), PORTS, site, AT) for site in ("calais", "dunkerque", "dover")
    )
    cut_off = "Dunkerque: cut off since Sun 11:59:00 UTC. New alerts from there do NOT arrive."
    assert elsewhere == (f"{cut_off} Ring Dunkerque. Watch the lanes yourself.",)
    assert here == (f"{cut_off} Watch the lanes yourself. Tell the engineer on call.",)
    assert at_dover == (f"{cut_off} Ring Dunkerque. Watch the vehicles that arrive yourself.",)


def test_one_cause_is_one_line_however_many_ports_it_touches() -> None:
    (warning,) = status_warnings(silent_since(calais=60, coquelles=62, dunkerque=61), PORTS, "calais", AT)
    assert warning == (
        "Calais, Coquelles and Dunkerque: cut off since Sun 11:58:58 UTC. New alerts from there do NOT arrive. "
        "Ring Coquelles and Dunkerque. Watch the lanes yourself. Tell the engineer on call."
    )
    assert len(status_warnings(silent_since(coquelles=60, dunkerque=600), PORTS, "calais", AT)) == 2


def test_an_old_list_at_every_matcher_is_one_line() -> None:
    old = [
        changed(site=site, matcher=f"{site}-{number}", list_confirmed_at=NOON - seconds(20))
        for site in ("calais", "coquelles")
        for number in (1, 2)
    ]
    seen = status(
        health=tuple(
            SiteHealth(site, tuple(one for one in old if one.site == site), NOON, is_silent=False)
            for site in ("calais", "coquelles")
        ),
        cameras={site: {camera.name: SEES for camera in CAMERAS} for site in ("calais", "coquelles")},
        canaries={site: Canary(NOON - seconds(30), NOON - seconds(29)) for site in ("calais", "coquelles")},
    )
    (warning,) = status_warnings(seen, PORTS, "calais", AT)
    assert warning.startswith("Calais and Coquelles: the watchlist is old: not confirmed since Sun 11:59:40 UTC.")
    assert warning.endswith("Ask the operator of the list what is new. Tell the engineer on call.")


def test_matchers_without_a_list_are_one_line_however_many_they_are() -> None:
    bare = tuple(changed(matcher=f"calais-{number}", generation=None) for number in (1, 2))
    seen = status(health=(SiteHealth("calais", bare, NOON, is_silent=False),))
    (warning,) = status_warnings(seen, SETTINGS, "calais", AT)
    assert warning.startswith("Calais: a matcher has no watchlist. The plates that it reads are NOT being checked.")


def test_no_warning_names_a_topic() -> None:
    of_calais = [topic("calais") for topic in (topics.alerts, topics.actions, topics.arrivals, topics.covert_alerts)]
    of_calais += [topics.covert_actions("calais"), topics.covert_arrivals("calais"), topics.deadletters("calais")]
    counts = dict.fromkeys([*of_calais, topics.status("calais")], 1)
    warnings = status_warnings(status(unreadable_records=counts, missed_records=counts), SETTINGS, "calais", AT)
    assert len(warnings) == 2
    assert not any("anpr." in warning or "record" in warning for warning in warnings), warnings


def test_every_warning_says_what_to_do() -> None:
    seen = status(
        changed(generation=None, partitions=0, alerts_too_large=1),
        blind=4,
        unread_sites=CALAIS,
        canaries={},
        unreadable_records={"one": 1, "two": 2},
        missed_records={"one": 1},
        losses=losses(a_loss(0, 4, 6)),
    )
    warnings = status_warnings(seen, SETTINGS, "calais", AT)
    assert len(warnings) == 9
    for warning in warnings:
        assert any(step in warning for step in ("Watch ", "Tell ", "Look ")), warning
