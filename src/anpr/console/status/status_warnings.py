"""Warnings for the officer: everything that could make a busy road look quiet on the screen, and what to do. Pure.

One cause is one line, however many ports it touches (`site_warning`).
Each warning says since when, not for how long. So a screen reader reads out a lasting warning only once.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from anpr.board.back_checks import back_check_faults
from anpr.board.journeys import ALWAYS, NEVER, routes_to
from anpr.board.missing_records import missing_in_words
from anpr.board.site_health import SiteHealth
from anpr.console.local_time import FormatTime
from anpr.console.status.site_warning import SiteWarning, WhatToDo, in_words, listed
from anpr.console.status.system_status import SystemStatus
from anpr.contracts.events import Status
from anpr.runtime.plurals import counted
from anpr.runtime.settings import ConsoleSettings, Settings, Site

# More silent cameras than this are only counted.
_CAMERAS_NAMED = 3

# Back-checks that end together were heard of last within this time.
_BACK_CHECKS_TELL_WITHIN = timedelta(seconds=30)

_RING = "Ring {ports}."
_TELL_ENGINEER = "Tell the engineer on call."
_LOOK_AT_BOARD = "Look at the board of another port"
_ASK_OPERATOR = "Ask the operator of the list what is new."
_LOOK_UP = "Look these vehicles up."


def status_warnings(system: SystemStatus, settings: Settings, own_site: str, at: FormatTime) -> tuple[str, ...]:
    """Return every warning for the officers of `own_site`, the gravest of each site first."""
    return tuple(_warnings(system, settings, own_site, at))


def _warnings(system: SystemStatus, settings: Settings, own_site: str, at: FormatTime) -> Iterator[str]:
    if not system.caught_up:
        yield (
            "The board is not complete yet. The console is still reading earlier records. "
            f"{_LOOK_AT_BOARD} if this stays."
        )
    unchecked = _what_to_do_about_unchecked(settings.sites[own_site])
    of_sites = [
        warning
        for health in system.health
        for warning in _site_warnings(system, health, settings.sites[health.site], settings.console, unchecked)
    ]
    of_sites += _arrival_warnings(system, own_site)
    of_sites += _back_check_warnings(system, settings, own_site)
    yield from in_words(of_sites, settings.sites, own_site, at)
    for name, losses in system.losses.items():
        if losses.unacknowledged:
            title = settings.sites[name].title
            yield (
                f"{title}: {losses.in_words(at)}. Their vehicles are NOT on this screen. Tell your supervisor. "
                f"A supervisor of {title} can acknowledge this on the Health page."
            )
    if missed := system.missed_records:
        were, them, they_are = ("was", "it", "It is") if sum(missed.values()) == 1 else ("were", "them", "They are")
        yield (
            f"{listed([*missing_in_words(missed, settings.sites)])} {were} deleted before this console had read "
            f"{them}. {they_are} NOT on this screen. {_LOOK_AT_BOARD}."
        )
    if unreadable := system.unreadable_records:
        they_are = "It is" if sum(unreadable.values()) == 1 else "They are"
        yield (
            f"{listed([*missing_in_words(unreadable, settings.sites)])} cannot be read. {they_are} NOT on this "
            f"screen. {_LOOK_AT_BOARD}, and tell the engineer on call."
        )


def _what_to_do_about_unchecked(own: Site) -> WhatToDo:
    """Return what the officers of a site do about vehicles that nobody checks."""
    watch = "Watch the lanes yourself." if own.cameras else "Watch the vehicles that arrive yourself."
    return WhatToDo(here=(watch, _TELL_ENGINEER), elsewhere=(_RING, watch))


def _site_warnings(
    system: SystemStatus, health: SiteHealth, site: Site, console: ConsoleSettings, unchecked: WhatToDo
) -> Iterator[SiteWarning]:
    name = health.site
    if health.heard_at is None:
        yield SiteWarning(name, "nothing received yet. Its vehicles are NOT on this screen.", None, unchecked)
        return
    if health.is_silent:
        what = "cut off since {since}. New alerts from there do NOT arrive."
        yield SiteWarning(name, what, health.heard_at, unchecked)
        return
    if not any(status.partitions for status in health.matchers):
        what = "no matcher is processing reads. Plates are NOT being checked there."
        yield SiteWarning(name, what, None, unchecked)
    list_old_after = timedelta(seconds=console.list_old_after_seconds)
    for status in health.matchers:
        yield from _list_warning(status, system.now, list_old_after, unchecked)
    if too_large := sum(status.alerts_too_large for status in health.matchers):
        what = f"the alerts of {counted(too_large, 'read')} were too large to write. They are NOT shown."
        yield SiteWarning(name, what, None, WhatToDo((_TELL_ENGINEER,), (_TELL_ENGINEER,)))
    yield from _canary_warnings(system, name, console, unchecked)
    yield from _camera_warnings(system, name, site, unchecked)


def _list_warning(
    status: Status, now: datetime, list_old_after: timedelta, unchecked: WhatToDo
) -> Iterator[SiteWarning]:
    """Yield what is wrong with the list of a matcher. Its name is no part of it: one cause may touch all of them."""
    ask = WhatToDo((_ASK_OPERATOR, _TELL_ENGINEER), (_ASK_OPERATOR, _TELL_ENGINEER))
    if status.generation is None:
        what = "a matcher has no watchlist. The plates that it reads are NOT being checked."
        yield SiteWarning(status.site, what, None, unchecked)
    elif status.list_confirmed_at is None:
        what = "the watchlist in use is the one saved on its disk. Changes since then are missing."
        yield SiteWarning(status.site, what, None, ask)
    elif now - status.list_confirmed_at > list_old_after:
        what = "the watchlist is old: not confirmed since {since}. Vehicles listed since then are NOT found."
        yield SiteWarning(status.site, what, status.list_confirmed_at, ask)


def _canary_warnings(
    system: SystemStatus, site: str, console: ConsoleSettings, unchecked: WhatToDo
) -> Iterator[SiteWarning]:
    due = timedelta(seconds=console.canary_due_seconds)
    missed_after = timedelta(seconds=console.canary_every_seconds) + due
    last = system.canaries.get(site)
    # A canary that was sent before this console started could not be seen in time here.
    since = max(system.opened_at, last.sent_at) if last else system.opened_at
    if system.now - since > missed_after:
        last_return = "The last one came at {since}" if last else "None has come yet"
        what = f"the test plate has not come back. {last_return}. Vehicles may be missed there."
        # Each port sends its own, at any time within the interval.
        yield SiteWarning(site, what, last.came_at if last else None, unchecked, one_cause_within=missed_after)
    elif last and last.sent_at >= system.opened_at and last.came_at - last.sent_at > due:
        # In steps. Otherwise a screen reader would read out each test plate as a new warning.
        late = (last.came_at - last.sent_at) // due * due
        what = f"slow: the test plate took more than {late.total_seconds():.0f} s. Alerts from there arrive late."
        yield SiteWarning(site, what, None, unchecked)


def _arrival_warnings(system: SystemStatus, own_site: str) -> Iterator[SiteWarning]:
    """Yield that nobody checks arrivals at the own port. Other ports' boards show nothing of that."""
    until = system.watched_until.get(own_site, ALWAYS)
    if until == ALWAYS or own_site in system.unread_sites:
        return
    nobody = "nobody checks arrivals" if until == NEVER else "nobody has checked arrivals since {since}"
    what = f"{nobody}. Vehicles that have come are still shown as expected."
    watch = WhatToDo(("Watch the vehicles that arrive yourself.", _TELL_ENGINEER), ())
    yield SiteWarning(own_site, what, None if until == NEVER else until, watch)


def _back_check_warnings(system: SystemStatus, settings: Settings, own_site: str) -> Iterator[SiteWarning]:
    """Yield that newly listed vehicles may raise no alert at a port whose vehicles may come to the own one."""
    concern_us = {own_site, *(routes_to(own_site, settings.routes) or settings.sites)}
    steps = (_ASK_OPERATOR, _LOOK_UP, _TELL_ENGINEER)
    for site, fault in back_check_faults(system.back_checks, system.health, system.now):
        if site in concern_us and site not in system.unread_sites:
            yield SiteWarning(site, *fault, WhatToDo(steps, steps), one_cause_within=_BACK_CHECKS_TELL_WITHIN)


def _camera_warnings(system: SystemStatus, site_name: str, site: Site, unchecked: WhatToDo) -> Iterator[SiteWarning]:
    states = system.cameras[site_name]
    silent = [camera for camera in site.cameras if states[camera.name].is_silent]
    if len(silent) == len(site.cameras) > 1:
        last = max((state.last_read_at for state in states.values() if state.last_read_at), default=None)
        what = f"no camera has seen anything {'since {since}' if last else 'at all'}."
        yield SiteWarning(site_name, what, last, unchecked)
        return
    if len(silent) > _CAMERAS_NAMED:
        what = f"{len(silent)} of {len(site.cameras)} cameras see nothing. The Health page names them."
        yield SiteWarning(site_name, what, None, unchecked)
        return
    look = WhatToDo(("Look at that lane yourself.",), (_RING,))
    for camera in silent:
        last = states[camera.name].last_read_at
        what = f"camera {camera.name} (lane {camera.lane}) has seen nothing {'since {since}' if last else 'at all'}."
        yield SiteWarning(site_name, what, last, look)
