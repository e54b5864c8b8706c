"""Asks every port where a vehicle was, for an officer. It is in the audit before anybody is asked."""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from datetime import timedelta, tzinfo
from typing import Any, NamedTuple

from anpr.audit.record import Operation
from anpr.console.auth.audit_trail import AuditTrail
from anpr.console.auth.authentication import SignedIn
from anpr.contracts.look_up import LookUp
from anpr.look_up.question import Asker, WrittenQuestion, question
from anpr.look_up.site_reply import SiteReply
from anpr.look_up.timeline import Timeline, timeline_of
from anpr.runtime.clock import Clock

# Asks these sites. The last argument says whether the asker may see covert alerts of this site.
AskSites = Callable[[LookUp, Collection[str], bool], Coroutine[Any, Any, Sequence[SiteReply]]]


class LookUpResult(NamedTuple):
    """A question and what the ports answered."""

    look_up: LookUp
    timeline: Timeline


class ConsoleLookUps:
    """The look-ups of one console."""

    def __init__(  # noqa: PLR0913  each part that it uses
        self,
        site: str,
        *,
        ports: Sequence[str],
        zones: Mapping[str, tzinfo],
        ask_sites: AskSites,
        audit: AuditTrail,
        stay_gap: timedelta,
        clock: Clock,
    ) -> None:
        """Ask in the name of `site`. `ports` are all that can be asked; `zones` holds the time zone of each site."""
        self.ports = ports
        self.zones = zones
        self._site = site
        self._ask_sites = ask_sites
        self._audit = audit
        self._stay_gap = stay_gap
        self._clock = clock

    async def find(
        self, who: SignedIn, written: WrittenQuestion, ports: Collection[str], operation: Operation = "consultation"
    ) -> LookUpResult:
        """Ask these ports. `operation` is "disclosure" for an export.

        Raises UnusableQuestionError for a question that cannot be asked, and UnavailableError when the look-up cannot
        be audited: then nobody has been asked.
        """
        asker = Asker(who.user.name, who.user.role, self._site)
        look_up = question(written, asker, self._clock(), self.zones[self._site])
        await self._audit.record(
            who,
            "look-up",
            operation=operation,
            reason=look_up.reason,
            plate=look_up.plate,
            details={
                "ports": " ".join(ports),
                "since": look_up.since.isoformat(),
                "until": look_up.until.isoformat(),
                **({"country": look_up.country} if look_up.country else {}),
            },
        )
        replies = await self._ask_sites(look_up, ports, who.user.covert)
        # Thousands of sightings must not hold up the board.
        return LookUpResult(look_up, await asyncio.to_thread(timeline_of, replies, self._stay_gap))
