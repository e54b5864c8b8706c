"""Answers a look-up: who may ask what, how often, and first of all a record of it in the audit chain."""

from collections.abc import Callable
from typing import Protocol

from anpr.audit.record import AuditEvent, Operation
from anpr.contracts.look_up import LookUp, SightingsAnswer
from anpr.contracts.sightings_api import SightingsRequest
from anpr.history.api.rate_limits import RateLimits
from anpr.runtime.errors import InputError


class FindsVehicles(Protocol):
    """What finds a vehicle: `history.look_up.HistoryLookUp`."""

    def find(self, look_up: LookUp, *, covert: bool) -> SightingsAnswer:
        """Return where it was. Raises InputError for a question that asks for too much, or UnavailableError."""
        ...


class AuditAppender(Protocol):
    """Where look-ups are recorded: `audit.chain.AuditChain`."""

    def append(self, *events: AuditEvent) -> None:
        """Add records, and wait until the disk has them. Raises UnavailableError."""
        ...


Disclose = Callable[[str, SightingsRequest], SightingsAnswer]


class Answering:
    """Answers look-ups at one site. Threads may ask at the same time."""

    def __init__(self, site: str, search: FindsVehicles, audit: AuditAppender, limits: RateLimits) -> None:
        """Answer for `site`."""
        self._site = site
        self._search = search
        self._audit = audit
        self._limits = limits

    def answer(self, asking: str, request: SightingsRequest) -> SightingsAnswer:
        """Return what this site holds of a vehicle. `asking` is the site of the token.

        Raises InputError for what this site does not answer, UnavailableError when the history cannot be read or the
        look-up cannot be recorded.
        """
        self._check(asking, request)
        self._limits.take(asking, request.user)
        answer = self._search.find(request, covert=request.covert)
        self._audit.append(self._event(asking, request, answer))
        return answer

    def _check(self, asking: str, request: SightingsRequest) -> None:
        if request.asking_site != asking:
            raise InputError(
                "look-up-other-site",
                "the look-up names another asking site than its token",
                "ask each site with the token that it made for the site where the officer is",
            )
        if request.covert and asking != self._site:
            raise InputError(
                "look-up-other-site",
                "covert alerts are for this site alone",
                "ask for them at the site where the officer is, and nowhere else",
            )

    def _event(self, asking: str, request: SightingsRequest, answer: SightingsAnswer) -> AuditEvent:
        """Return the record of an answer: to another site it is a disclosure.

        The record of somebody who may see covert alerts says no number, because a covert alert can keep a sighting
        for longer than others.
        """
        operation: Operation = "consultation" if asking == self._site else "disclosure"
        number = {} if request.covert else {"sightings": str(len(answer.sightings))}
        return AuditEvent(
            operation=operation,
            what="look-up",
            user=request.user,
            role=request.role,
            reason=request.reason,
            plate=request.plate,
            details={
                "asking_site": asking,
                "since": request.since.isoformat(),
                "until": request.until.isoformat(),
                **({"country": request.country} if request.country else {}),
                **number,
            },
        )
