"""Where a vehicle was seen last at each of several ports, from the timeline of a look-up. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

from anpr.look_up.timeline import Stay, Timeline

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class LastSeen:
    """What a port knows.

    Attributes:
        stay: Its last stay there, None for none. A possible misread counts only where nothing surer was seen.
        kept_since: The first day of which the port still holds sightings, None where it holds none.
        problem: Why the port did not answer, "" where it did.
    """

    site: str
    stay: Stay | None = None
    kept_since: date | None = None
    problem: str = ""

    @property
    def is_misread(self) -> bool:
        """Whether all that was read there is a text that may be a misread."""
        return self.stay is not None and not self.stay.likeliest.is_this_plate


def last_seen(timeline: Timeline, ports: Iterable[str]) -> list[LastSeen]:
    """Return what each of these ports knows: the newest stay first, then who did not answer, then who saw nothing."""
    return sorted(_of_ports(timeline, ports), key=_order, reverse=True)


def _of_ports(timeline: Timeline, ports: Iterable[str]) -> Iterator[LastSeen]:
    problems = {reply.site: reply.problem for reply in timeline.missing}
    for port in ports:
        stays = (stay for stay in (*timeline.stays, *timeline.possible_misreads) if stay.site == port)
        yield LastSeen(port, next(stays, None), timeline.kept_since.get(port), problems.get(port, ""))


def _order(seen: LastSeen) -> tuple[datetime, bool]:
    return seen.stay.last_seen_at if seen.stay else _NEVER, bool(seen.problem)
