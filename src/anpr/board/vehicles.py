"""Tells apart two vehicles that have one text, where one text can be of several districts. Pure.

A listed `B-MW 555` and a listed `BM-W 555` have one canonical text, and only the gap that a camera read tells the two
vehicles apart. Each is an incident of its own: what an officer does about one must not silence the other.
"""

from collections.abc import Sequence
from functools import lru_cache

from anpr.contracts.districts import districts_shown, gaps, possible_groups, shown_district
from anpr.contracts.events import Alert
from anpr.contracts.plates import as_read


def split_by_vehicle(stay: Sequence[Alert]) -> list[Sequence[Alert]]:
    """Return the alerts of a stay apart for each vehicle, in the order of the stay.

    Reads without the gap may be of either vehicle. Where reads or entries name only one, they join it. Where they
    name two, these reads are apart from both: it is safer to call an officer once too often.
    """
    shown = [district_of(alert) for alert in stay]
    listed = [_listed_district(alert) for alert in stay]
    if max(len({*districts} - {None}) for districts in (shown, listed)) < 2:
        return [stay]
    return [
        [alert for alert, of_alert in zip(stay, shown, strict=True) if of_alert == district]
        for district in dict.fromkeys(shown)
    ]


def district_of(alert: Alert) -> int | None:
    """Return how many letters the district has by which an alert's vehicle is known; None where no gap shows it.

    An alert for a listed district is about the vehicle of that district, even where the camera read another.
    """
    country = _country_of(alert)
    if not possible_groups(alert.plate, country):
        return None
    for text in (alert.read.plate, *(candidate.plate for candidate in alert.read.candidates)):
        if shown := _shown_district(text, alert.explanation.read_as, alert.plate, country):
            return _listed_district(alert) or shown
    return None


# A stay is looked at again with each of its alerts, and they have few texts.
@lru_cache(maxsize=4096)
def _shown_district(text: str, matched: str, plate: str, country: str | None) -> int | None:
    """Return the district that a text of a read shows; None where it shows none, or is not the text that matched."""
    if as_read(text) != matched or (len(matched) != len(plate) and plate not in matched):
        return None
    start = max(matched.find(plate), 0)
    groups = possible_groups(plate, country)
    shown = districts_shown([gap - start for gap in gaps(text) if gap > start], groups)
    return min(shown) if len(shown) == 1 else None


def _listed_district(alert: Alert) -> int | None:
    return shown_district(alert.entry.plate, _country_of(alert))


def _country_of(alert: Alert) -> str | None:
    return alert.entry.country or alert.read.country
