"""The reads that were erased from a history, as keyed hashes: none of them is stored again.

The topic still holds the read for some days, and so may the other service and a backup. The hash is of the read's
identity, not of the plate. Without the key nobody can tell which read it stands for. A vehicle that is seen again
later makes a new read, which is stored like any other.
"""

import contextlib
import hashlib
import hmac
import os
import secrets
from collections.abc import Callable, Collection, Mapping
from datetime import date
from pathlib import Path

from sqlalchemy import select

from anpr.history.bulk_insert import insert_missing
from anpr.history.database import Database, HistoryUnavailableError
from anpr.history.sighting import Sighting, identity_digest
from anpr.history.sql_tables import ERASED_READS
from anpr.history.stored_time import day_number
from anpr.runtime.atomic_file import write_atomically

_KEY_BYTES = 32


class ErasedReads:
    """The hashes of one site's erased reads, each with the day on which the read had arrived."""

    def __init__(self, database: Database, key_file: Path) -> None:
        """Keep them in `database`. The first erasure makes the key in `key_file`."""
        self._database = database
        self._key_file = key_file

    def note(self, reads: Mapping[date, Collection[bytes]]) -> None:
        """Commit the hashes of reads, given as `identity_digest` returns them, by the day of their arrival.

        Raises HistoryUnavailableError when the key or the store cannot be written.
        """
        # A key that was lost must not be replaced in silence: what was erased by it would come back.
        key = self._key(may_make=not self._hashes())
        for day, identities in sorted(reads.items()):
            rows = [{"day": day_number(day), "hash": _hash(key, identity)} for identity in set(identities)]
            with self._database.begin(day) as connection:
                insert_missing(connection, ERASED_READS, rows)

    def erased(self) -> Callable[[bytes], bool]:
        """Return a function that tells whether a read was erased until now, by what `identity_digest` returns.

        Raises HistoryUnavailableError, without the key too.
        """
        hashes = self._hashes()
        if not hashes:
            return lambda _: False
        key = self._key(may_make=False)
        return lambda identity: _hash(key, identity) in hashes

    def may_keep(self) -> Callable[[Sighting], bool]:
        """Return a function that tells whether a sighting may be stored: it is of no read that was erased until now.

        Raises HistoryUnavailableError, without the key too.
        """
        is_erased = self.erased()
        return lambda sighting: not is_erased(identity_digest(sighting.read.identity))

    def days(self) -> list[date]:
        """Return the days of which reads were erased, the oldest first."""
        return self._database.days()

    def drop(self, day: date) -> None:
        """Forget the hashes of a day: nobody holds its reads any more."""
        self._database.drop(day)

    def close(self) -> None:
        """Disconnect from the database."""
        self._database.close()

    def _hashes(self) -> set[bytes]:
        query = select(ERASED_READS.c.hash)
        return {bytes(row.hash) for row in self._database.rows(query, date.min, date.max)}

    def _key(self, *, may_make: bool) -> bytes:
        try:
            if may_make and not self._key_file.exists():
                _make_key(self._key_file)
            key = bytes.fromhex(self._key_file.read_text("ascii"))
        except (OSError, ValueError) as error:
            raise _NoKeyError(self._key_file, error) from None
        if len(key) != _KEY_BYTES:
            raise _NoKeyError(self._key_file, ValueError("it is cut"))
        return key


class _NoKeyError(HistoryUnavailableError):
    """The key of the hashes cannot be used. Nothing may be stored then: it could be what was erased."""

    def __init__(self, file: Path, error: OSError | ValueError) -> None:
        reason = (error.strerror or str(error)) if isinstance(error, OSError) else "it is not a key"
        super().__init__(f"the key of erased reads {file}: {reason}")
        self.code = "history-erasure-key"
        self.next_step = "put the key file back from the backup of this machine"


def _hash(key: bytes, identity: bytes) -> bytes:
    return hmac.digest(key, identity, hashlib.sha256)


def _make_key(file: Path) -> None:
    """Write a new key that is there as a whole, or not at all, and that no other process replaces."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
    try:
        write_atomically(new, secrets.token_bytes(_KEY_BYTES).hex().encode())
        with contextlib.suppress(FileExistsError):  # another process has just made one
            os.link(new, file)
    finally:
        new.unlink(missing_ok=True)
