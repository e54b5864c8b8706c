"""What is wrong, in words for the officer: whatever could make a quiet screen out of a busy road. Pure.

Each fault says since when, not for how long, so that a fault that goes on is not read out again and again.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from anpr.events import Status
from anpr.services.board_feed import SiteHealth
from anpr.settings import Site


def faults(
    health: Sequence[SiteHealth],
    sites: Mapping[str, Site],
    now: datetime,
    list_old_after: timedelta,
    *,
    caught_up: bool,
) -> list[str]:
    """Return every fault, the gravest of each site first. None means: what is not on the screen did not happen."""
    found = [] if caught_up else ["Still reading what happened before: the board is not whole yet."]
    for one in health:
        title = sites[one.site].title
        found += [f"{title}: {words}" for words in _of_site(one, now, list_old_after)]
    return found


def _of_site(health: SiteHealth, now: datetime, list_old_after: timedelta) -> list[str]:
    if health.heard_at is None:
        return ["not heard at all. Its vehicles are NOT on this screen."]
    if health.is_silent:
        return [f"cut off since {at(health.heard_at)}. New alerts from there do NOT arrive."]
    if not any(status.partitions for status in health.matchers):
        return ["no matcher has a share of the reads. Nothing is being checked there."]
    return [words for status in health.matchers if (words := _of_list(status, now, list_old_after))]


def _of_list(status: Status, now: datetime, list_old_after: timedelta) -> str:
    if status.generation is None:
        return f"matcher {status.matcher} has no watchlist and checks nothing."
    if status.list_confirmed_at is None:
        return f"matcher {status.matcher} works with the list kept on its disk; changes since then are missing."
    if now - status.list_confirmed_at > list_old_after:
        return (
            f"the watchlist at {status.matcher} is old: not confirmed since {at(status.list_confirmed_at)}. "
            "Vehicles listed since then are NOT found."
        )
    return ""


def at(moment: datetime) -> str:
    """Return a moment of these days as it stands on the pages."""
    return f"{moment:%H:%M:%S} UTC"
