"""Checks the back-check of each site whose history is here: whether it runs and goes on, and what it reads."""

from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from anpr.back_check.progress_file import ProgressFile, progress_path
from anpr.back_check.search import Progress
from anpr.doctor.findings import Check, Finding, note, well, wrong
from anpr.history.database import NoStoreError
from anpr.history.sighting import Source
from anpr.history.stores import open_facts, open_sightings
from anpr.index_store.folder import IndexFolder, IndexManifest
from anpr.index_store.index_file import DamagedError
from anpr.runtime.clock import Clock
from anpr.runtime.durations import in_words
from anpr.runtime.errors import AnprError
from anpr.runtime.plurals import counted
from anpr.runtime.settings import Settings

_KIND: Final = "back-check"
# A search begins within a second of a new list. It ends when history has what was on the topic, in a few more.
SOON: Final = timedelta(seconds=10)


def checks(settings: Settings, clock: Clock) -> list[tuple[str, str, Check]]:
    """Return the checks: one for each site that may have a history here."""
    return [(_KIND, site, partial(check, settings, site, clock)) for site in settings.sites_to_ask]


def check(settings: Settings, site: str, clock: Clock) -> Iterable[Finding]:
    """Open what the back-check of a site reads, and look at what it has written."""
    try:
        days, stored = _open_history(settings, site)
    except NoStoreError:
        yield note(_KIND, site, "this machine holds no history of it, so no back-check of it runs here")
        return
    except AnprError as error:
        yield wrong(_KIND, site, f"its history cannot be read: {error}", error.next_step, error.code)
        return
    yield well(_KIND, site, f"its history can be read: {counted(days, 'day')}")
    index = _index(settings)
    if index is None:
        step = "start `anpr index` on this machine, or read its log"
        yield wrong(_KIND, site, f"there is no usable index in {settings.index_dir}", step)
        return
    file = ProgressFile(progress_path(settings, site))
    yield judge(site, file.load(), index, stored, is_running=file.is_locked(), now=clock())


def judge(  # noqa: PLR0913  all that is compared
    site: str,
    progress: Progress,
    index: IndexManifest,
    stored: Mapping[Source, int],
    *,
    is_running: bool,
    now: datetime,
) -> Finding:
    """Report whether new entries are looked for, among what each source of the history has stored."""
    start = f"start `anpr back-check --site {site}`"
    newest = index.watchlist
    if not is_running:
        message = "it does not run: vehicles that have passed raise no alert when they are listed"
        return wrong(_KIND, site, message, start)
    if progress.checked < newest.generation and now - newest.applied_at > SOON:
        message = (
            f"it looks for entries up to generation {progress.checked}, but the list has been at {newest.generation} "
            f"for {in_words(now - newest.applied_at)}"
        )
        return wrong(_KIND, site, message, "read its log: it cannot save its progress, or is stuck; then restart it")
    if progress.searches:
        left = counted(progress.left(stored), "record")
        message = f"it runs; searches that go on: {len(progress.searches)}, with {left} to go through"
        step = (
            "if that lasts, look for a matcher that is down, a history that is behind, or a list of a million entries"
        )
        return note(_KIND, site, message, step)
    return well(_KIND, site, f"it runs, and has looked for every entry up to generation {progress.checked}")


def _open_history(settings: Settings, site: str) -> tuple[int, Mapping[Source, int]]:
    """Open the stores that a back-check reads. Raises AnprError.

    Returns of how many days there are sightings, and up to where each source is stored.
    """
    for covert in (False, True):
        open_facts(settings, site, covert=covert, is_writer=False).close()
    with closing(open_sightings(settings, site, is_writer=False)) as sightings:
        return len(sightings.days()), sightings.next_offsets()


def _index(settings: Settings) -> IndexManifest | None:
    """Return what the index on this machine holds, None where it cannot be used."""
    folder = IndexFolder(settings.index_dir)
    try:
        manifest = folder.read_manifest().index_manifest
        folder.open_index(manifest, folder.open_snapshot(manifest, check_entries=False))
    except (DamagedError, OSError):
        return None
    return manifest
