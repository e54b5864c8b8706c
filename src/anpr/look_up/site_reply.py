"""What came back from one site that was asked. Pure."""

from msgspec import Struct

from anpr.contracts.look_up import SightingsAnswer


class SiteReply(Struct, frozen=True):
    """What a site answered, or why it did not, in words that continue its name ("did not answer within 3 s")."""

    site: str
    answer: SightingsAnswer | None
    problem: str = ""
