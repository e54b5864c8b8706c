"""A look-up: the question where a vehicle was, and a site's answer from its own history.

A site answers for itself. What it finds are whole reads, each with how surely it is the vehicle, and with the alerts
and actions about it that the asker may see.
"""

from datetime import date, timedelta
from typing import Annotated, Final

from msgspec import Meta, Struct

from anpr.contracts.events import Action, Alert, Country, Explanation, Instant, Name, PlateText, Read, Share, Tier
from anpr.contracts.readings import FIRST, reading_that_matched

# An answer has no more sightings. A vehicle that passes a camera each ten minutes for two weeks has as many.
MOST_SIGHTINGS: Final = 2000
# A partial plate fits many vehicles, so it must say something, and its period must be short.
LEAST_FIXED_CHARACTERS: Final = 3
PARTIAL_PERIOD: Final = timedelta(days=7)
# In autumn seven days by the clock of a site have an hour more. A site does not know by which clock it is asked.
LONGEST_PARTIAL_PERIOD: Final = PARTIAL_PERIOD + timedelta(hours=1)
# Sightings of these tiers are this plate as it was read; all others may be a misread of it.
THIS_PLATE_TIERS: Final = frozenset({"exact", "equivalent", "pattern"})


def is_blank(reason: str) -> bool:
    """Tell whether nobody could read anything in a reason: also characters without a shape say nothing."""
    return not any(letter.isprintable() and not letter.isspace() for letter in reason)


class LookUp(Struct, frozen=True, kw_only=True):
    """A question about one vehicle: who asks, why, and in which period the vehicle was seen.

    `plate` is a whole plate, or a partial one with `?` for one character and `*` for any number of them. The period
    is from `since` until before `until`, by the time at which the site's broker got the read. With a `country`, reads
    that name another country are left out. `asking_site` is the site where `user` is signed in. ValueError for a
    period that ends before it begins and for a blank reason; a decoder turns it into one of `events.Undecodable`.
    """

    plate: Annotated[PlateText, Meta(min_length=1)]
    country: Country | None = None
    since: Instant
    until: Instant
    reason: Annotated[str, Meta(min_length=1, max_length=500)]
    user: Annotated[Name, Meta(min_length=1)]
    role: Annotated[Name, Meta(min_length=1)]
    asking_site: Annotated[Name, Meta(min_length=1)]

    def __post_init__(self) -> None:
        """Refuse a period that ends before it begins, and a reason that is blank."""
        if self.since >= self.until:
            raise ValueError("the period ends before it begins: `since` must be before `until`")
        if is_blank(self.reason):
            raise ValueError("the reason is blank")


class FoundSighting(Struct, frozen=True, kw_only=True):
    """A read that may be of the vehicle, from 0 (surely not) to 1 (surely) by `probability`.

    `arrived_at` is when the site's broker got it. `alerts` are those about this read, and `actions` what officers did
    about them: covert ones only where the asker may see them.
    """

    site: Name
    read: Read
    arrived_at: Instant
    tier: Tier
    probability: Share
    explanation: Explanation
    alerts: tuple[Alert, ...] = ()
    actions: tuple[Action, ...] = ()

    @property
    def is_this_plate(self) -> bool:
        """Whether the plate was read as asked. If not, it may be a misread of it, or another vehicle.

        What is only a later guess of the camera was not read so.
        """
        return self.tier in THIS_PLATE_TIERS and reading_that_matched(self.read, self.explanation) == FIRST


class SightingsAnswer(Struct, frozen=True, kw_only=True):
    """What one site holds of the vehicle, the newest sighting first.

    Where it found more than MOST_SIGHTINGS, the newest are here and `is_whole` is false. `kept_since` is the first
    day of which the site still holds every sighting, null where it holds none; of older days it holds those that
    alerts keep.
    """

    site: Name
    sightings: tuple[FoundSighting, ...] = ()
    is_whole: bool = True
    kept_since: date | None = None
