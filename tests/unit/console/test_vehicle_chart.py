"""The picture above a timeline: every port has a line, and every stay can be seen on it."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from anpr.console.vehicle.chart import chart_of
from anpr.look_up.timeline import timeline_of
from tests.support.sightings import a_misread, a_sighting, an_answer, no_answer, with_alert
from tests.support.strategies import an_alert, an_entry, minutes

GAP = timedelta(minutes=30)


def test_each_port_that_was_asked_has_a_line_and_one_without_an_answer_says_so() -> None:
    seen, later = a_sighting(), a_sighting(seen_at=minutes(300))
    with_an_alert = with_alert(later, an_alert(later.read, an_entry()))
    made = timeline_of(
        [an_answer("calais", seen, with_an_alert, a_misread(seen_at=minutes(100))), no_answer("dover")], GAP
    )
    chart = chart_of(made, ["calais", "coquelles", "dover"])
    assert chart is not None
    assert [(line.site, len(line.marks), line.problem) for line in chart.lines] == [
        ("calais", 3, ""),
        ("coquelles", 0, ""),
        ("dover", 0, "did not answer within 5 s"),
    ]
    assert [(mark.is_misread, mark.has_alert) for mark in chart.lines[0].marks] == [
        (False, False),
        (True, False),
        (False, True),
    ]


def test_where_nothing_was_found_there_is_no_picture() -> None:
    assert chart_of(timeline_of([an_answer("calais"), no_answer("dover")], GAP), ["calais", "dover"]) is None


@given(st.lists(st.integers(0, 100_000), min_size=1, max_size=50, unique=True))
def test_every_mark_is_wide_enough_to_be_seen_and_within_the_picture(at: list[int]) -> None:
    made = timeline_of([an_answer("calais", *(a_sighting(seen_at=minutes(minute)) for minute in at))], GAP)
    chart = chart_of(made, ["calais"])
    assert chart is not None
    [line] = chart.lines
    assert line.marks
    assert chart.start < made.stays[-1].first_seen_at <= made.stays[0].last_seen_at < chart.end
    for mark in line.marks:
        assert mark.width >= 1
        assert mark.start >= 0
        assert mark.start + mark.width <= 100.1
