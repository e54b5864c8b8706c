"""The routes that lead to the port of a command about arrivals."""

from anpr.board.journeys import routes_to
from anpr.cli import check_site
from anpr.runtime.errors import InputError
from anpr.runtime.settings import Route, Settings


def arrival_routes(settings: Settings, site: str) -> dict[str, Route]:
    """Return the routes that lead to a site, by their origin. Raises InputError where none is a ferry or shuttle."""
    routes = routes_to(check_site(settings, site), settings.routes)
    if all(route.by == "road" for route in routes.values()):
        raise InputError(
            "arrivals-no-route",
            f"no ferry or shuttle leads to {site}",
            "name a port that one leads to. The routes are in sites.toml",
        )
    return routes
