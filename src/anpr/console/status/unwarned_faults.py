"""Faults that no warning names, since the board does not look quiet for them. The Health page marks them. Pure."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from anpr.board.back_checks import back_check_faults
from anpr.console.status.system_status import SystemStatus
from anpr.runtime.settings import ConsoleSettings

# As in the Prometheus alert ReadsWait (deploy/prometheus/alerts.yml).
_LAG_READS: Final = 1000
# Statuses may come some seconds late.
_MACHINES_DIFFER: Final = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class UnwarnedFaults:
    """The lines of the Health page that are red without a warning, at some ports at least.

    Attributes:
        clocks_off: The site and the name of each camera whose clock is off by more than `clock_off_seconds`.
        machine_clocks_off: The site and the name of each matcher whose machine has another time than this one: by
            more than a minute.
        clock_set: Whether somebody has set the clock of this machine within the last hour.
        lagging: The site and the name of each matcher for which more than 1,000 reads wait.
        dead_lettering: The site and the name of each matcher that could not process some reads since it started.
        unknown_cameras: The sites with reads of cameras that the configuration does not name.
        back_checks: The sites where newly listed vehicles may raise no alert. Boards of some ports do not warn.
        not_connected: The sites without cameras whose broker sends nothing.
    """

    clocks_off: frozenset[tuple[str, str]] = frozenset()
    lagging: frozenset[tuple[str, str]] = frozenset()
    dead_lettering: frozenset[tuple[str, str]] = frozenset()
    not_connected: frozenset[str] = frozenset()
    unknown_cameras: frozenset[str] = frozenset()
    back_checks: frozenset[str] = frozenset()
    machine_clocks_off: frozenset[tuple[str, str]] = frozenset()
    clock_set: bool = False

    @property
    def any(self) -> bool:
        """Whether there is one."""
        return self != UnwarnedFaults()


def unwarned_faults(system: SystemStatus, console: ConsoleSettings) -> UnwarnedFaults:
    """Return the faults of a status that `status_warnings` leaves out."""
    matchers = [(health.site, status) for health in system.health for status in health.matchers]
    return UnwarnedFaults(
        clocks_off=frozenset(
            (site, camera)
            for site, states in system.cameras.items()
            for camera, state in states.items()
            if abs(state.clock_offset_seconds or 0) > console.clock_off_seconds
        ),
        lagging=frozenset((site, status.matcher) for site, status in matchers if (status.lag or 0) > _LAG_READS),
        dead_lettering=frozenset((site, status.matcher) for site, status in matchers if status.dead_letters),
        not_connected=frozenset(site for site, problem in system.problems_without_cameras.items() if problem),
        back_checks=frozenset(site for site, _ in back_check_faults(system.back_checks, system.health, system.now)),
        unknown_cameras=frozenset(system.unknown_cameras),
        machine_clocks_off=frozenset(
            (health.site, matcher)
            for health in system.health
            for matcher, ahead in health.clocks_ahead.items()
            if abs(ahead) > _MACHINES_DIFFER
        ),
        clock_set=system.clock_set is not None,
    )
