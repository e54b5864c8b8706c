"""Lets audit records go when their retention has ended: in a service's own chain, and in those that nobody writes."""

from datetime import UTC, timedelta
from pathlib import Path

from anpr.audit.chain import AuditChain
from anpr.audit.folders import chain_folders
from anpr.audit.older_log import erase_older_logs
from anpr.audit.record import unseal
from anpr.audit.segments import lines, segments
from anpr.runtime.clock import Clock
from anpr.runtime.errors import UnavailableError
from anpr.runtime.logs import get_logger

log = get_logger(__name__)


class Expiry:
    """The retention of the chains of one site on this machine."""

    def __init__(self, folder: Path, own: AuditChain, kept_days: int, clock: Clock) -> None:
        """Keep each record in `folder` for so many days after its day, in UTC. `own` is this service's chain."""
        self._folder = folder
        self._own = own
        self._kept = timedelta(days=kept_days + 1)
        self._clock = clock

    def run_once(self) -> None:
        """Let go what has been kept for long enough. A chain that another process writes is left to it."""
        last_day = self._clock().astimezone(UTC).date() - self._kept
        try:
            self._own.erase_until(last_day)
            erase_older_logs(self._folder, last_day, self._own)
            for folder in chain_folders(self._folder):
                if folder.name != self._own.service and (chain := self._unwritten(folder)):
                    try:
                        chain.erase_until(last_day)
                    finally:
                        chain.close()
        except UnavailableError as error:
            log.warning("old audit records cannot be deleted", code=error.code, reason=str(error))
        except OSError as error:
            log.warning("old audit records cannot be deleted", error=error.strerror)

    def _unwritten(self, folder: Path) -> AuditChain | None:
        """Open a chain that no process writes; None for another one, and for a broken one: a person deals with it."""
        try:
            first = unseal(next(lines(segments(folder)[0]))).record
            return AuditChain(folder, first.site, folder.name, self._clock)
        except (IndexError, StopIteration, ValueError, UnavailableError):
            return None
