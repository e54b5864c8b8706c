"""What a back-check would find if a change of a list were applied: the same search, and nothing is published."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import timedelta

from anpr.back_check.back_check import BackCheck
from anpr.back_check.known_alerts import KnownAlerts
from anpr.back_check.search import Progress
from anpr.contracts.events import Alert, Entry, Generation
from anpr.contracts.local_days import LocalDays
from anpr.history.stores import open_facts, open_sightings
from anpr.matching.index import Index
from anpr.runtime.clock import Clock
from anpr.runtime.settings import Settings


def next_generation(index: Index) -> Generation:
    """Return the generation that a change of the list of `index` would have."""
    return Generation(epoch=index.generation.epoch, number=index.generation.number + 1)


def changed_index(index: Index, put: Sequence[Entry], removed: Sequence[str]) -> Index:
    """Return the active list as it would be after a change; `put` have the `next_generation` as their revision."""
    return index.with_changes(put, removed, next_generation(index))


def expected_alerts(  # noqa: PLR0913  the site, both lists, the time and two ways to say how far it is
    settings: Settings,
    site: str,
    *,
    before: Index,
    after: Index,
    clock: Clock,
    on_progress: Callable[[int, int], None],
) -> list[Alert]:
    """Return the alerts that the back-check of a site would publish for what is new in `after`.

    `on_progress` gets how many records are done, and how many there are. Raises NoStoreError where this machine does
    not hold the site's history, HistoryUnavailableError and OtherSchemaError where it cannot be read.
    """
    found: list[Alert] = []
    with ExitStack() as opened:
        sightings = open_sightings(settings, site, is_writer=False)
        opened.callback(sightings.close)
        facts = [open_facts(settings, site, covert=covert, is_writer=False) for covert in (False, True)]
        for store in facts:
            opened.callback(store.close)
        window = timedelta(hours=settings.history.back_check_hours)
        check = BackCheck(
            Progress(checked=before.generation).with_new(after.generation, clock() - window),
            set(),
            sightings=sightings,
            known_alerts=KnownAlerts(*facts),
            publish=found.extend,
            days=LocalDays(settings.zones),
            window=window,
            clock=clock,
        )
        most = 0
        while check.run_once(after, None):
            left = check.waiting()
            most = max(most, left)
            on_progress(most - left, most)
    return found
