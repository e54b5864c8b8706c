"""By site, whether anybody checks if newly listed vehicles have passed already, and what is wrong where not. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from anpr.board.journeys import ALWAYS, NEVER
from anpr.board.site_health import SiteHealth
from anpr.contracts.events import (
    BACK_CHECK_GONE_AFTER,
    BACK_CHECK_LATE_AFTER,
    NO_GENERATION,
    BackCheckStatus,
    Status,
)

_THEY: Final = "whether newly listed vehicles have passed already"
_NEVER: Final = f"nobody checks {_THEY}. If one has, it raises NO alert."
_NOT_SINCE: Final = f"nobody has checked since {{since}} {_THEY}. If one has, it raises NO alert."
_NOT_ENDED: Final = f"the check {_THEY} began at {{since}} and has not ended. Some may have raised NO alert yet."


@dataclass(frozen=True, slots=True)
class BackCheckHealth:
    """The back-check of a site.

    Attributes:
        status: Its newest status; None if none has come.
        looked_until: Vehicles that were listed until then are looked for: `ALWAYS` while all are, `NEVER` where
            nobody has ever looked.
    """

    status: BackCheckStatus | None
    looked_until: datetime


class BackCheckFault(NamedTuple):
    """Why newly listed vehicles may have raised no alert at a site.

    `what` has `{since}` where the time belongs, unless `since` is None.
    """

    what: str
    since: datetime | None


@dataclass(slots=True)
class _LastReport:
    """What is known of the back-checks of a site.

    Attributes:
        heard_at: When one was last heard of; None if never.
        status: The status that counts.
        received_at: When that was received.
        overlooks_since: When the first list was applied that it does not know of; None for none.
    """

    heard_at: datetime | None = None
    status: BackCheckStatus | None = None
    received_at: datetime | None = None
    overlooks_since: datetime | None = None


class BackChecks:
    """The back-checks of all sites. Two at one site are as far as the one that is ahead."""

    def __init__(self, expected: Iterable[str], opened_at: datetime) -> None:
        """Each of the sites `expected` should have one. One that is never heard of is missed only after a while."""
        self._heard = {site: _LastReport() for site in expected}
        self._waits_since = opened_at

    def note(self, status: BackCheckStatus, received_at: datetime) -> None:
        """Note the status of a back-check that was received at this time."""
        heard = self._heard.setdefault(status.site, _LastReport())
        heard.heard_at = max(received_at, heard.heard_at or received_at)
        is_ahead = heard.status is None or status.looked_up_to >= heard.status.looked_up_to
        is_gone = heard.received_at is not None and received_at - heard.received_at > BACK_CHECK_GONE_AFTER
        if is_ahead or is_gone:
            if heard.status is None or heard.status.looked_up_to != status.looked_up_to:
                heard.overlooks_since = None
            heard.status, heard.received_at = status, received_at

    def by_site(self, now: datetime, matchers_of: Callable[[str], Iterable[Status]]) -> dict[str, BackCheckHealth]:
        """Return the back-check of each site that has one, or should have one. Matchers know of the newest list."""
        return {
            site: BackCheckHealth(heard.status, self._looked_until(heard, matchers_of(site), now))
            for site, heard in self._heard.items()
        }

    def _looked_until(self, heard: _LastReport, matchers: Iterable[Status], now: datetime) -> datetime:
        if now - (heard.heard_at or self._waits_since) > BACK_CHECK_GONE_AFTER:
            return heard.heard_at or NEVER
        # Kept while newer lists come: where lists change all the time, the newest one is never old.
        newest = _newest_overlooked(heard.status, matchers)
        since = heard.overlooks_since = newest and min(newest, heard.overlooks_since or newest)
        return ALWAYS if since is None or now - since <= BACK_CHECK_GONE_AFTER else since

    def forget_the_future(self, now: datetime) -> None:
        """Note what was received in the future as received now: the clock was set back since."""
        self._waits_since = min(self._waits_since, now)
        for heard in self._heard.values():
            heard.heard_at = heard.heard_at and min(heard.heard_at, now)
            heard.received_at = heard.received_at and min(heard.received_at, now)
            heard.overlooks_since = heard.overlooks_since and min(heard.overlooks_since, now)


def _newest_overlooked(status: BackCheckStatus | None, matchers: Iterable[Status]) -> datetime | None:
    """Return when the newest list was applied that a matcher has and the back-check does not know of, None for none.

    No new list may arrive on its machine: there it looks as if all were up to date.
    """
    known = [(one.generation, one.list_applied_at) for one in matchers if one.generation and one.list_applied_at]
    generation, applied_at = max(known, default=(NO_GENERATION, None))
    if status is None or status.behind_since is not None or generation <= status.looked_up_to:
        return None
    return applied_at


def back_check_faults(
    back_checks: Mapping[str, BackCheckHealth], health: Iterable[SiteHealth], now: datetime
) -> Iterator[tuple[str, BackCheckFault]]:
    """Yield each site with a fault of its back-check. Of a site that is cut off nothing is known."""
    cut_off = {site.site for site in health if site.is_silent}
    for site, back_check in back_checks.items():
        fault = _fault(back_check, now)
        if fault is not None and site not in cut_off:
            yield site, fault


def _fault(back_check: BackCheckHealth, now: datetime) -> BackCheckFault | None:
    if back_check.looked_until == NEVER:
        return BackCheckFault(_NEVER, None)
    if back_check.looked_until != ALWAYS:
        return BackCheckFault(_NOT_SINCE, back_check.looked_until)
    since = back_check.status.behind_since if back_check.status else None
    if since is not None and now - since > BACK_CHECK_LATE_AFTER:
        return BackCheckFault(_NOT_ENDED, since)
    return None
