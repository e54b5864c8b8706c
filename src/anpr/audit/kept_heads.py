"""The heads of other sites' chains that a site keeps: a file of lines for each other site. Nothing removes one."""

import os
from collections.abc import Iterable
from pathlib import Path

from anpr.audit.durable_file import DurableFile
from anpr.contracts.events import AuditHead, Undecodable, decode_audit_head, encode
from anpr.runtime.errors import InputError
from anpr.runtime.file_lock import hold
from anpr.runtime.logs import get_logger

log = get_logger(__name__)

FOLDER = "heads"


class KeptHeads:
    """The heads that one site keeps on this machine. One process writes them."""

    def __init__(self, folder: Path) -> None:
        """Keep heads in `folder`. Raises OSError; BlockingIOError where another process keeps them already."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._lock = hold(folder / "lock")
        self._files: dict[str, DurableFile] = {}
        self._kept = {_key(head) for file in folder.glob("*.jsonl") for head in _heads_in(file)}

    def keep(self, heads: Iterable[AuditHead]) -> None:
        """Keep heads. Those that are kept already change nothing.

        Raises OSError: then the keeper must be opened again, and what was lost comes again from the topic.
        """
        new: dict[str, list[AuditHead]] = {}
        for head in heads:
            if _key(head) not in self._kept:
                self._kept.add(_key(head))
                new.setdefault(head.site, []).append(head)
        for site, of_site in new.items():
            self._file(site).append(b"".join(encode(head) + b"\n" for head in of_site))

    def close(self) -> None:
        """Let another process keep them."""
        for file in self._files.values():
            file.close()
        os.close(self._lock)

    def _file(self, site: str) -> DurableFile:
        if site not in self._files:
            path = self._folder / f"{site}.jsonl"
            file = DurableFile(path)
            # What a crash left unfinished goes: the topic still has it.
            content = path.read_bytes()
            file.cut_to(content.rfind(b"\n") + 1)
            self._files[site] = file
        return self._files[site]


def _key(head: AuditHead) -> tuple[str, str, int, str]:
    """Return what a head says, whenever it was published."""
    return head.site, head.chain, head.sequence, head.hash


def heads_of(audit_dir: Path, site: str) -> list[AuditHead]:
    """Return the heads of a site's chains that other sites keep on this machine. Raises OSError."""
    keepers = (folder for folder in audit_dir.glob(f"*/{FOLDER}") if folder.parent.name != site)
    return [head for folder in sorted(keepers) for head in _heads_in(folder / f"{site}.jsonl")]


def read_heads(file: Path) -> list[AuditHead]:
    """Return the heads in a file that another site gave. Raises InputError for one with a line that is none."""
    heads = []
    try:
        lines = file.read_bytes().splitlines()
    except OSError as error:
        raise _unusable(f"{file}: {error.strerror or error}") from None
    for number, line in enumerate(lines, 1):
        try:
            heads.append(decode_audit_head(line))
        except Undecodable as error:
            raise _unusable(f"{file} line {number} is no audit head: {error}") from None
    return heads


def _heads_in(file: Path) -> list[AuditHead]:
    """Return the heads in a file that this program wrote: none without one. A line that is being written is left.

    A line that something has spoilt is left, too: as long as the topic holds its head, that is kept again.
    """
    if not file.exists():
        return []
    heads = []
    for line in file.read_bytes().splitlines(keepends=True):
        if line.endswith(b"\n"):
            try:
                heads.append(decode_audit_head(line))
            except Undecodable:
                log.warning("a kept audit head cannot be read", file=str(file))
    return heads


def _unusable(message: str) -> InputError:
    return InputError("audit-heads-unusable", message, "name a file that `anpr audit heads` wrote at another site")
