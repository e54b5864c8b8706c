"""A machine with the history of Calais and an index, without servers."""

from datetime import datetime
from pathlib import Path

from anpr.contracts.events import Entry
from anpr.history.stores import open_facts, open_sightings
from anpr.index_store.folder import IndexFolder, IndexManifest
from anpr.matching.index import Index
from anpr.runtime.clock import system_clock
from anpr.runtime.settings import Settings
from anpr.runtime.settings_files import load_settings
from anpr.watchlist.store.manifest import Manifest
from tests.support.history import read_record, record_all
from tests.support.strategies import generation


class Machine:
    """A machine with the history of Calais and the index of a list; the shipped configuration names its routes."""

    def __init__(self, folder: Path) -> None:
        given = {"ANPR_WATCHLIST__STATE_DIR": str(folder), "ANPR_HISTORY__FOLDER": str(folder / "history")}
        self.settings: Settings = load_settings(Path("config"), given)
        for covert in (False, True):
            open_facts(self.settings, "calais", covert=covert).close()
        self.store = open_sightings(self.settings, "calais")

    def listed(self, *entries: Entry) -> None:
        """Let these be in force here."""
        folder = IndexFolder(self.settings.index_dir)
        now = system_clock()
        folder.path.mkdir(parents=True, exist_ok=True)
        name = folder.write_snapshot(Index.build(entries, generation(1)), now)
        folder.activate(IndexManifest(Manifest(generation(1), now, "", {}), name), now)

    def passed(self, offset: int, plate: str, captured_at: datetime) -> None:
        """Let history store a read."""
        record = read_record(offset, plate=plate, captured_at=captured_at, site="calais", direction="uk_bound")
        record_all(self.store, record._replace(arrived_at=captured_at))
