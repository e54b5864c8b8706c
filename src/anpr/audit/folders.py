"""Where the chains of a site are on this machine, and which of them a service writes."""

import re
import socket
from pathlib import Path

from anpr.audit.chain import AuditChain
from anpr.audit.checkpoint import has_checkpoint
from anpr.audit.segments import segments
from anpr.runtime.clock import Clock
from anpr.runtime.errors import UnavailableError
from anpr.runtime.settings import Settings

# More services of one kind than a machine runs for one site.
_MOST_CHAINS = 64
_NOT_IN_NAMES = re.compile(r"[^a-z0-9-]+")


def site_folder(settings: Settings, site: str) -> Path:
    """Return the folder with the chains of a site on this machine."""
    return settings.audit_dir / site


def machine_name() -> str:
    """Return the name of this machine, as chains are named by it."""
    return _NOT_IN_NAMES.sub("-", socket.gethostname().lower()).strip("-")[:40] or "machine"


def open_chain(settings: Settings, site: str, kind: str, clock: Clock) -> AuditChain:
    """Open the first chain of this kind that no other process writes, such as `console-1.lane-pc`.

    So the services of a machine need no names of their own, and each goes on with a chain when it starts again.
    Raises UnavailableError when the chain cannot be written or is broken, or when all are in use.
    """
    for number in range(1, _MOST_CHAINS):
        try:
            return _chain(settings, site, f"{kind}-{number}", clock)
        except UnavailableError as error:
            if error.code != "audit-chain-in-use":
                raise
    return _chain(settings, site, f"{kind}-{_MOST_CHAINS}", clock)


def _chain(settings: Settings, site: str, name: str, clock: Clock) -> AuditChain:
    service = f"{name}.{machine_name()}"
    return AuditChain(site_folder(settings, site) / service, site, service, clock)


def chain_folders(folder: Path) -> list[Path]:
    """Return the folders of chains in a folder, or the folder itself if it is that of a chain. Raises OSError."""
    if _is_chain(folder):
        return [folder]
    return sorted(inner for inner in folder.iterdir() if inner.is_dir() and _is_chain(inner))


def _is_chain(folder: Path) -> bool:
    return bool(segments(folder)) or has_checkpoint(folder)
