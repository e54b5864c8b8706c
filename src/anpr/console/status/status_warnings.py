"""Warnings for the officer: everything that could make a busy road look quiet on the screen. Pure.

Each warning says since when, not for how long. So a screen reader reads out a lasting warning only once.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from anpr.board.site_health import SiteHealth
from anpr.console.local_time import FormatTime
from anpr.console.status.system_status import SystemStatus
from anpr.contracts.events import Status
from anpr.runtime.settings import ConsoleSettings, Settings, Site

# More silent cameras than this are only counted.
_CAMERAS_NAMED = 3


def status_warnings(system: SystemStatus, settings: Settings, at: FormatTime) -> tuple[str, ...]:
    """Return every warning, the gravest of each site first. With none, the screen shows all that happened."""
    return tuple(_warnings(system, settings, at))


def _warnings(system: SystemStatus, settings: Settings, at: FormatTime) -> Iterator[str]:
    if not system.caught_up:
        yield "The board is not complete yet. The console is still reading earlier records."
    for health in system.health:
        site = settings.sites[health.site]
        for warning in _site_warnings(system, health, site, settings.console, at):
            yield f"{site.title}: {warning}"
    for name, losses in system.losses.items():
        if losses.unacknowledged:
            title = settings.sites[name].title
            yield (
                f"{title}: {losses.in_words(at)}. Their vehicles are NOT on this screen. "
                f"A supervisor of {title} can acknowledge this on the Health page."
            )
    for topic, count in sorted(system.missed_records.items()):
        yield (
            f"{count} records on {topic} were deleted before this console had read them. "
            "They are NOT on this screen. Look at the board of another port."
        )
    for topic, count in sorted(system.unreadable_records.items()):
        yield f"{count} records on {topic} cannot be read. They are NOT on this screen."


def _site_warnings(
    system: SystemStatus, health: SiteHealth, site: Site, console: ConsoleSettings, at: FormatTime
) -> Iterator[str]:
    if health.heard_at is None:
        yield "nothing received yet. Its vehicles are NOT on this screen."
        return
    if health.is_silent:
        yield f"cut off since {at(health.heard_at)}. New alerts from there do NOT arrive."
        return
    if not any(status.partitions for status in health.matchers):
        yield "no matcher is processing reads. Plates are NOT being checked there."
    list_old_after = timedelta(seconds=console.list_old_after_seconds)
    yield from filter(None, (_list_warning(status, system.now, list_old_after, at) for status in health.matchers))
    if too_large := sum(status.alerts_too_large for status in health.matchers):
        yield f"alerts for {too_large} reads were too large to write. They are NOT shown. Tell the engineer on call."
    yield from _canary_warnings(system, health.site, console, at)
    yield from _camera_warnings(system, health.site, site, at)


def _list_warning(status: Status, now: datetime, list_old_after: timedelta, at: FormatTime) -> str:
    if status.generation is None:
        return f"matcher {status.matcher} has no watchlist. It checks NOTHING."
    if status.list_confirmed_at is None:
        return f"matcher {status.matcher} is using the watchlist saved on its disk. Changes since then are missing."
    if now - status.list_confirmed_at > list_old_after:
        return (
            f"the watchlist at {status.matcher} is old: not confirmed since {at(status.list_confirmed_at)}. "
            "Vehicles listed since then are NOT found."
        )
    return ""


def _canary_warnings(system: SystemStatus, site: str, console: ConsoleSettings, at: FormatTime) -> Iterator[str]:
    due = timedelta(seconds=console.canary_due_seconds)
    missed_after = timedelta(seconds=console.canary_every_seconds) + due
    last = system.canaries.get(site)
    # A canary that was sent before this console started could not be seen in time here.
    since = max(system.opened_at, last.sent_at) if last else system.opened_at
    if system.now - since > missed_after:
        last_return = f"The last one came at {at(last.came_at)}" if last else "None has come yet"
        yield f"the test plate has not come back. {last_return}. Vehicles may be missed there."
    elif last and last.sent_at >= system.opened_at and last.came_at - last.sent_at > due:
        # In steps. Otherwise a screen reader would read out each test plate as a new warning.
        late = (last.came_at - last.sent_at) // due * due
        yield f"slow: the test plate took more than {late.total_seconds():.0f} s. Alerts from there arrive late."


def _camera_warnings(system: SystemStatus, site_name: str, site: Site, at: FormatTime) -> Iterator[str]:
    states = system.cameras[site_name]
    silent = [camera for camera in site.cameras if states[camera.name].is_silent]
    if len(silent) == len(site.cameras) > 1:
        last = max((state.last_read_at for state in states.values() if state.last_read_at), default=None)
        yield f"no camera has seen anything {f'since {at(last)}' if last else 'at all'}. Look at the lanes yourself."
        return
    if len(silent) > _CAMERAS_NAMED:
        yield f"{len(silent)} of {len(site.cameras)} cameras see nothing. The Health page names them."
        return
    for camera in silent:
        last = states[camera.name].last_read_at
        since = f"since {at(last)}" if last else "at all"
        yield f"camera {camera.name} (lane {camera.lane}) has seen nothing {since}. Look at that lane yourself."
