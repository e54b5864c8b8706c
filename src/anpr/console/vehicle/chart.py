"""The picture above a timeline: a line for each port, and on it a mark for each stay. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from anpr.contracts.moments import shifted
from anpr.look_up.timeline import Stay, Timeline

# Marks closer than this share of the width cover each other. One of them is enough.
_NARROWEST_PERCENT: Final = 0.2
# A stay of one read, and one of all day, can both be seen.
_LEAST_WIDTH_PERCENT: Final = 1.0
# The ends of the chart stand a little apart from the first and the last stay.
_MARGIN: Final = 0.04
_LEAST_MARGIN: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Mark:
    """A stay on the line of its port, in percent of the chart's width."""

    start: float
    width: float
    is_misread: bool
    has_alert: bool


@dataclass(frozen=True, slots=True)
class PortLine:
    """The line of a port. `problem` says why it is not known what the port saw, "" when it is."""

    site: str
    marks: Sequence[Mark]
    problem: str


@dataclass(frozen=True, slots=True)
class Chart:
    """All ports on one scale of time from `start` to `end`."""

    start: datetime
    end: datetime
    lines: Sequence[PortLine]


def chart_of(timeline: Timeline, ports: Iterable[str]) -> Chart | None:
    """Return the chart of the ports that were asked; None when nothing was found: then there is no scale."""
    stays = [*timeline.stays, *timeline.possible_misreads]
    if not stays:
        return None
    first, last = min(stay.first_seen_at for stay in stays), max(stay.last_seen_at for stay in stays)
    margin = max((last - first) * _MARGIN, _LEAST_MARGIN)
    start, end = shifted(first, -margin), shifted(last, margin)
    problems = {reply.site: reply.problem for reply in timeline.missing}
    here: Mapping[str, list[Stay]] = {site: [stay for stay in stays if stay.site == site] for site in ports}
    return Chart(
        start, end, [PortLine(site, _marks(here[site], start, end), problems.get(site, "")) for site in here]
    )


def _marks(stays: Iterable[Stay], start: datetime, end: datetime) -> list[Mark]:
    span = end - start
    marks: list[Mark] = []
    for stay in sorted(stays, key=lambda one: one.first_seen_at):
        percent = (stay.first_seen_at - start) / span * 100
        mark = Mark(
            start=round(min(percent, 100 - _LEAST_WIDTH_PERCENT), 2),
            width=round(max((stay.last_seen_at - stay.first_seen_at) / span * 100, _LEAST_WIDTH_PERCENT), 2),
            is_misread=not stay.sightings[0].is_this_plate,
            has_alert=bool(stay.alerts),
        )
        if not marks or mark.start - marks[-1].start > _NARROWEST_PERCENT or _kind(mark) != _kind(marks[-1]):
            marks.append(mark)
    return marks


def _kind(mark: Mark) -> tuple[bool, bool]:
    return mark.is_misread, mark.has_alert
