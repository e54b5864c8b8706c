"""Takes over the audit log of earlier versions, which was a file of lines without hashes."""

import hashlib
from datetime import UTC, date, datetime
from pathlib import Path

from anpr.audit.chain import AuditChain
from anpr.audit.record import AuditEvent
from anpr.runtime.atomic_file import sync_folder
from anpr.runtime.errors import UnavailableError

FOLDER = "before-chains"
_WHAT = "older audit log taken over"


def take_over(log: Path, folder: Path, chain: AuditChain) -> None:
    """Move an older log into the folder of the chains. The chain records its digest first, so a change would show.

    Without such a log nothing happens. Raises UnavailableError.
    """
    try:
        with log.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        kept = folder / FOLDER / f"{digest[:16]}.jsonl"
        details = {"sha256": digest, "bytes": str(log.stat().st_size), "kept_as": f"{FOLDER}/{kept.name}"}
        chain.append(
            AuditEvent(operation="alteration", what=_WHAT, user=chain.service, role="service", details=details)
        )
        kept.parent.mkdir(mode=0o700, exist_ok=True)
        log.rename(kept)
        sync_folder(kept.parent)
    except FileNotFoundError:
        return  # there is none, or another console has just taken it over
    except OSError as error:
        raise UnavailableError(
            "audit-unavailable",
            f"the older audit log {log} cannot be taken over: {error.strerror or error}",
            "let this user move the file into the audit folder; both must be on one disk",
        ) from None


def erase_older_logs(folder: Path, last_day: date, chain: AuditChain) -> None:
    """Delete the older logs whose last line is of a day until `last_day`. The chain records it first.

    Raises OSError or UnavailableError.
    """
    for log in sorted((folder / FOLDER).glob("*.jsonl")):
        if datetime.fromtimestamp(log.stat().st_mtime, UTC).date() <= last_day:
            details = {"erased": f"{FOLDER}/{log.name}"}
            what = "older audit log whose retention ended"
            chain.append(
                AuditEvent(operation="erasure", what=what, user=chain.service, role="service", details=details)
            )
            log.unlink()


def is_take_over(event: AuditEvent) -> bool:
    """Tell whether an event is that of an older log that was taken over."""
    return event.what == _WHAT and {"kept_as", "sha256"} <= event.details.keys()


def is_altered(folder: Path, event: AuditEvent) -> bool:
    """Tell whether the older log of an event is not as it was taken over. `folder` is that of the chains."""
    try:
        with (folder / event.details["kept_as"]).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() != event.details["sha256"]
    except OSError:
        return True
