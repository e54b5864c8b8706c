"""What came back from one site that was asked. Pure."""

from dataclasses import dataclass

from anpr.contracts.look_up import SightingsAnswer


@dataclass(frozen=True, slots=True)
class SiteReply:
    """A site's answer; or None, and in plain words why there is none."""

    site: str
    answer: SightingsAnswer | None
    problem: str = ""
