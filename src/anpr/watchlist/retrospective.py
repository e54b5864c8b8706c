"""The retrospective alerts of a list as a plan states them: about vehicles that have passed already. Pure."""

from msgspec import Struct


class Retrospective(Struct, frozen=True, kw_only=True):
    """How many alerts a back-check would raise if the plan were applied now, and where.

    Attributes:
        hours: How far back it looks.
        alerts: How many alerts, by the port where the vehicle passed: there they are information.
        rings: How many vehicles would call an officer, now or before they arrive, by the port that they may reach.
        not_counted: Why the history of a port could not be counted, by port. Such a port may raise more.
    """

    hours: float
    alerts: dict[str, int]
    rings: dict[str, int]
    not_counted: dict[str, str]
