"""Takes over the audit log of earlier versions, which was a file of lines without hashes."""

import hashlib
from pathlib import Path

from anpr.audit.chain import AuditChain
from anpr.audit.durable_file import sync_folder
from anpr.audit.record import AuditEvent
from anpr.runtime.errors import UnavailableError

FOLDER = "before-chains"


def take_over(log: Path, folder: Path, chain: AuditChain) -> None:
    """Move an older log into the folder of the chains. The chain records its digest first, so a change would show.

    Without such a log nothing happens. Raises UnavailableError.
    """
    try:
        with log.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        kept = folder / FOLDER / f"{digest[:16]}.jsonl"
        details = {"sha256": digest, "bytes": str(log.stat().st_size), "kept_as": f"{FOLDER}/{kept.name}"}
        what = "older audit log taken over"
        chain.append(
            AuditEvent(operation="alteration", what=what, user=chain.service, role="service", details=details)
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
