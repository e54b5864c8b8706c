"""Opens the stores of a site where the settings say."""

from anpr.history.sighting_store import SightingStore
from anpr.history.sqlite_days import SqliteDays
from anpr.runtime.settings import Settings


def open_sightings(settings: Settings, site: str) -> SightingStore:
    """Open the sightings of a site, to write them.

    Raises InputError for a store of another schema version, UnavailableError where it cannot be used.
    """
    return SightingStore(SqliteDays(settings.history_dir / site / "sightings"))
