"""Counts the retrospective alerts that a plan would raise, in the histories that this machine holds.

Other sites are not asked: their API answers about one vehicle and never about a list of them. They are named.
"""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import datetime
from typing import Final

import click

from anpr.audit.folders import open_chain
from anpr.audit.record import AuditEvent
from anpr.back_check.expected_alerts import changed_index, expected_alerts, next_generation
from anpr.board.board import empty_board
from anpr.cli.progress_line import ProgressLine
from anpr.console.board.triage import calls, triage_rules
from anpr.contracts.events import Alert, Entry
from anpr.history.database import NoStoreError
from anpr.index_store.folder import IndexFolder
from anpr.index_store.index_file import DamagedError
from anpr.matching.index import Index
from anpr.runtime.clock import system_clock
from anpr.runtime.errors import AnprError
from anpr.runtime.settings import Settings
from anpr.watchlist.changes import Changes, changes_between
from anpr.watchlist.plan import ActiveList, Plan
from anpr.watchlist.retrospective import Retrospective

ROLE: Final = "operator"
# Live matching comes first on a busy machine.
_NICE: Final = 5


def count_retrospective(
    settings: Settings, plan: Plan, active: ActiveList, planned: Sequence[Entry]
) -> Retrospective:
    """Return what the back-checks of all sites would raise, as far as this machine can know it."""
    index = _index(settings)
    sites = settings.sites_to_ask
    if index is None:
        reason = "this machine has no usable index of the active lists; `anpr index` keeps it"
        return _result(settings, [], dict.fromkeys(sites, reason))
    changes = changes_between(active.entries, planned, next_generation(index))
    if not changes.put:
        return _result(settings, [], {})
    os.nice(_NICE)
    after = changed_index(index, changes.put, changes.removed)
    alerts, not_counted = [], {}
    for site in sites:
        try:
            alerts += _of_site(settings, site, plan, changes, before=index, after=after)
        except NoStoreError:
            not_counted[site] = "its history is not on this machine"
        except AnprError as error:
            not_counted[site] = str(error)
    return _result(settings, alerts, not_counted)


def report_retrospective(settings: Settings, counted: Retrospective) -> None:
    """Say on stderr what would be raised, and what is not known."""
    hours = f"the last {counted.hours:g} hours"
    alerts = sum(counted.alerts.values())
    click.echo(
        f"{alerts} retrospective alert{'s' if alerts != 1 else ''} about vehicles that have passed in {hours}: "
        f"{_by_port(settings, counted.alerts)}",
        err=True,
    )
    if counted.alerts:
        click.echo(
            f"  they are information there, and ring for vehicles that may still reach: "
            f"{_by_port(settings, counted.rings)}",
            err=True,
        )
    for site, reason in counted.not_counted.items():
        click.echo(f"  not counted at {settings.sites[site].title}: {reason}", err=True)


def _by_port(settings: Settings, counts: Mapping[str, int]) -> str:
    return ", ".join(f"{settings.sites[site].title} {count}" for site, count in counts.items()) or "none"


def _index(settings: Settings) -> Index | None:
    """Return the active lists, as the matchers and back-checks of this machine have them."""
    folder = IndexFolder(settings.index_dir)
    try:
        manifest = folder.read_manifest().index_manifest
        return folder.open_index(manifest, folder.open_snapshot(manifest, check_entries=True))
    except (DamagedError, OSError):
        return None


def _of_site(  # noqa: PLR0913  the site, the plan, and what it changes
    settings: Settings, site: str, plan: Plan, changes: Changes, *, before: Index, after: Index
) -> list[Alert]:
    progress = ProgressLine(f"looking through the history of {settings.sites[site].title}")
    alerts = expected_alerts(settings, site, before=before, after=after, clock=system_clock, on_progress=progress)
    _audit(settings, site, plan, changes)
    return alerts


def _audit(settings: Settings, site: str, plan: Plan, changes: Changes) -> None:
    """Record it before it is shown: a plan with few entries says where their vehicles were."""
    only = changes.put[0] if len(changes.put) == 1 else None
    event = AuditEvent(
        operation="consultation",
        what="retrospective alerts of a plan",
        user=plan.made_by,
        role=ROLE,
        reason=f"plan of the list {plan.list}",
        plate=only.plate if only else "",
        covert=only is not None and only.is_covert,
        details={"list": plan.list, "file_sha256": plan.file_sha256, "entries": str(len(changes.put))},
    )
    with closing(open_chain(settings, site, "command", system_clock)) as chain:
        chain.append(event)


def _result(settings: Settings, alerts: Sequence[Alert], not_counted: dict[str, str]) -> Retrospective:
    by_port = Counter(alert.read.site for alert in alerts)
    return Retrospective(
        hours=settings.history.back_check_hours,
        alerts={site: by_port[site] for site in settings.sites if by_port[site]},
        rings=_rings(settings, alerts, system_clock()),
        not_counted=not_counted,
    )


def _rings(settings: Settings, alerts: Sequence[Alert], now: datetime) -> dict[str, int]:
    """Return for how many vehicles each port would be called."""
    board = empty_board(settings)
    for alert in alerts:
        board.add_alert(alert)
    incidents = board.incidents(now)
    counts = {}
    for site in settings.sites:
        rules = triage_rules(settings, site)
        counts[site] = sum(calls(incident, rules, now) for incident in incidents)
    return {site: count for site, count in counts.items() if count}
