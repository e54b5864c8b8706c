"""The answers of all sites together: stays, misreads apart, and what nobody could tell."""

from datetime import timedelta

from anpr.look_up.timeline import timeline_of
from tests.support.sightings import a_misread, a_sighting, an_answer, no_answer, with_alert
from tests.support.strategies import an_action, an_alert, an_entry, minutes

GAP = timedelta(minutes=30)


def test_reads_at_one_port_without_a_long_gap_are_one_stay_and_the_newest_stay_is_first() -> None:
    calais = [
        a_sighting("calais", minutes(at), read={"lane": lane}) for at, lane in ((0, "1"), (20, "2"), (120, "1"))
    ]
    made = timeline_of(
        [an_answer("calais", *calais), an_answer("coquelles", a_sighting("coquelles", minutes(60)))], GAP
    )
    assert [(stay.site, len(stay.sightings)) for stay in made.stays] == [
        ("calais", 1),
        ("coquelles", 1),
        ("calais", 2),
    ]
    earliest = made.stays[-1]
    assert (earliest.first_seen_at, earliest.last_seen_at) == (minutes(0), minutes(20))
    assert earliest.lanes == ("2", "1"), "the newest first"


def test_possible_misreads_stand_apart_by_what_was_read() -> None:
    found = [
        a_sighting(),
        a_misread(seen_at=minutes(1)),
        a_misread(seen_at=minutes(2), plate="AB12CDB", probability=0.4),
    ]
    made = timeline_of([an_answer("calais", *found)], GAP)
    assert [stay.likeliest.read.plate for stay in made.stays] == ["AB12CDE"]
    assert [stay.likeliest.read.plate for stay in made.possible_misreads] == ["AB12CDB", "AB12CDF"]


def test_0_and_o_are_one_vehicle_but_the_vehicles_that_fit_a_partial_plate_are_not() -> None:
    same = [a_sighting(plate="AB10CDE"), a_sighting(plate="AB1OCDE", seen_at=minutes(1), tier="equivalent")]
    assert len(timeline_of([an_answer("calais", *same)], GAP).stays) == 1
    partial = [a_sighting(plate="AB1", tier="pattern"), a_sighting(plate="AB12", seen_at=minutes(1), tier="pattern")]
    assert len(timeline_of([an_answer("calais", *partial)], GAP).stays) == 2


def test_a_site_that_did_not_answer_is_named_and_so_is_one_whose_answer_is_cut_off() -> None:
    made = timeline_of([no_answer("dover", "has no history service"), an_answer("calais", is_whole=False)], GAP)
    assert [(reply.site, reply.problem) for reply in made.missing] == [("dover", "has no history service")]
    assert made.cut_off == ("calais",)
    assert made.is_empty


def test_a_stay_says_which_alerts_there_were_and_which_outcome_counts() -> None:
    sighting, later = a_sighting(), a_sighting(seen_at=minutes(1))
    urgent, other = an_entry("urgent", priority=1), an_entry("other", priority=4)
    alerts = [an_alert(sighting.read, other), an_alert(sighting.read, urgent), an_alert(later.read, urgent)]
    undone = an_action("1", "outcome", alerts[1], outcome="misread", at=minutes(2))
    undo = an_action("2", "retracted", alerts[1], retracts="1", at=minutes(3))
    counts = an_action("3", "outcome", alerts[1], outcome="turned_away", at=minutes(4))
    # What was done about one alert may be told with each of its sightings.
    found = [
        with_alert(with_alert(sighting, alerts[0]), alerts[1], counts, undone, undo),
        with_alert(later, alerts[2], undo),
    ]
    [stay] = timeline_of([an_answer("calais", *found)], GAP).stays
    assert [alert.alert_id for alert in stay.alerts] == [alerts[2].alert_id, alerts[0].alert_id]
    assert stay.actions == (undone, undo, counts)
    assert stay.is_undone(undone)
    assert stay.outcomes == (counts,)
