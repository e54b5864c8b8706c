"""What the demo configures beside the files: cameras at the UK ports, and crossings that take seconds. Pure.

The shipped sites.toml has no cameras at Dover and Folkestone. In the demo both have lanes where vehicles drive off,
and a crossing takes as long as people like to wait.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from anpr.runtime.settings import Camera, Route, Settings

_LANES: Final = ("1", "2", "3")
# Seconds of the crossing, and of the usual wait before it, by origin and destination; of all others by how they go.
_SECONDS: Final = {("dunkerque", "dover"): (10, 4)}
_SECONDS_BY: Final = {"ferry": (8, 4), "shuttle": (6, 3), "road": (4, 0)}
# A vehicle that passes again after this long is a new incident.
STAY_GAP_SECONDS: Final = 30


def demo_environment(settings: Settings) -> dict[str, str]:
    """Return the environment variables that override the settings for the demo."""
    environment = {
        "ANPR_ROUTES": _toml([_shortened(route) for route in settings.routes]),
        "ANPR_BOARD__STAY_GAP_MINUTES": f"{STAY_GAP_SECONDS / 60}",
    }
    for site in uk_ports(settings):
        if not settings.sites[site].cameras:
            environment[f"ANPR_SITES__{site.upper()}__CAMERAS"] = _toml(_cameras(site))
    return environment


def uk_ports(settings: Settings) -> list[str]:
    """Return the sites where vehicles drive off a ferry or shuttle."""
    return list(dict.fromkeys(route.destination for route in settings.routes if route.by != "road"))


def crossings_in_words(settings: Settings) -> str:
    """Return how long the crossings take in the demo."""
    parts = [
        f"{settings.sites[route.origin].title} to {settings.sites[route.destination].title} "
        f"{route.crossing_minutes * 60:.0f} to {(route.crossing_minutes + route.wait_minutes) * 60:.0f} s"
        for route in settings.routes
        if route.by != "road"
    ]
    by_road = max((route.crossing_minutes * 60 for route in settings.routes if route.by == "road"), default=0)
    return f"crossings are short here: {', '.join(parts)}; by road {by_road:.0f} s"


def _shortened(route: Route) -> Route:
    crossing, wait = _SECONDS.get((route.origin, route.destination), _SECONDS_BY[route.by])
    return msgspec.structs.replace(route, crossing_minutes=crossing / 60, wait_minutes=wait / 60)


def _cameras(site: str) -> list[Camera]:
    return [
        Camera(f"{site}-in-{lane}-{position}", lane, position) for lane in _LANES for position in ("front", "rear")
    ]


def _toml(tables: Iterable[Route | Camera]) -> str:
    """Return the tables as TOML on one line."""
    rows = []
    for table in tables:
        # A text and a number are written alike in JSON and TOML.
        values = msgspec.structs.asdict(table).items()
        rows.append(", ".join(f"{key} = {msgspec.json.encode(value).decode()}" for key, value in values))
    return "[" + ", ".join(f"{{ {row} }}" for row in rows) + "]"
