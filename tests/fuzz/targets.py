"""What is fuzzed. A target takes bytes and raises an error if the program does anything but what it promises."""

import atexit
import random
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from anpr.contracts import events
from anpr.contracts.events import Read, Undecodable, encode
from anpr.contracts.local_days import UTC_DAYS
from anpr.matching.index import Index
from anpr.matching.read_keys import read_keys
from anpr.reads.decoder import REASONS, BadRead, decode_read
from anpr.runtime.errors import InputError
from anpr.watchlist.csv_file import ENCODINGS, MAX_FAULTS_KEPT, read_list
from anpr.watchlist.list_format import ListFormat
from tests.fuzz.mutations import damaged
from tests.support.history import written
from tests.support.losses import a_loss
from tests.support.strategies import NOON, a_correction, a_read, an_action, an_alert, an_arrival, an_entry


@dataclass(frozen=True)
class Target:
    """What is fuzzed: good inputs, and the check of a damaged one."""

    good: Sequence[bytes]
    check: Callable[[bytes], object]

    def input(self, seed: int, number: int) -> bytes:
        """Return the input of this number. It depends on nothing else."""
        return damaged(random.Random(seed * 2**40 + number), self.good)


_INDEX: Final = Index.build(
    [an_entry("plate"), an_entry("near", plate="KX06AVB", tolerance="near"), an_entry("pattern", plate="*12C*")],
    events.Generation(epoch=1, number=1),
)


def check_read(value: bytes) -> Read | None:
    """A line is a read that can be matched, or a bad read with one of the reasons. Return the read."""
    try:
        read = decode_read(value, "calais", NOON)
    except BadRead as bad:
        reason = bad.reason
    else:
        assert read.captured_at is not None
        assert decode_read(written(read), "calais", NOON).plate == read.plate
        return read
    assert reason in REASONS, reason
    return None


def check_match(value: bytes) -> None:
    """Whatever is read can be matched, and found again by its keys."""
    read = check_read(value)
    if read is not None:
        _INDEX.match([read], UTC_DAYS)
        read_keys([read])


_DECODERS: Final[Sequence[Callable[[bytes], Any]]] = (
    events.decode_alert_record,
    events.decode_action,
    events.decode_status,
    events.decode_status_record,
    events.decode_loss,
    events.decode_audit_head,
    events.decode_arrival_record,
)


def check_contracts(value: bytes) -> None:
    """A record is refused, or what is decoded can be sent on and is the same again."""
    for decode in _DECODERS:
        try:
            event = decode(value)
        except Undecodable:
            continue
        assert decode(encode(event)) == event


def check_list(value: bytes) -> None:
    """A file is a list, with each refused line named, or refused with a reason."""
    _FILE.write_bytes(value)
    encoding = ENCODINGS[0] if value[:1] != b"\xfe" else ENCODINGS[-1]
    try:
        read = read_list(_FILE, "stolen", ListFormat(encoding))
    except InputError:
        return
    assert len(read.faults) >= read.refused or read.refused > MAX_FAULTS_KEPT
    assert all(fault.line >= 1 and fault.reason for fault in read.faults)


def _camera_line(**fields: Any) -> bytes:
    """Return a read with every field, as a camera writes it."""
    given: dict[str, Any] = {
        "lane": "3",
        "direction": "uk_bound",
        "position": "front",
        "pass_id": "p",
        "camera": "camera-1",
        "country": "GB",
        "confidence": 0.9,
        "char_confidences": (0.9, 0.8),
        "candidates": (events.Candidate(plate="AB12CDF", confidence=0.1),),
        "vehicle": events.Vehicle(kind="lorry", make="DAF", colour="red"),
        "image": "calais/1.jpg",
    }
    return written(a_read(**(given | fields)))


_ALERT = an_alert(a_read(camera="camera-1"), an_entry())
_STATUS = events.Status(
    site="calais",
    matcher="one",
    at=NOON,
    started_at=NOON,
    generation=events.Generation(epoch=1, number=2),
    cameras={"camera-1": NOON},
    clock_offset_seconds={"camera-1": 0.5},
    unknown_cameras={"camera-9": events.UnknownCamera(reads=3, last_read_at=NOON)},
)
_HEAD = events.AuditHead(site="calais", service="console", chain="c", sequence=7, hash="0" * 64, at=NOON)
_HEADER = b"entry_id,plate,valid_until,valid_from,country,priority,tolerance,handling,reason,sites,directions\n"
_LISTS: Final = (
    _HEADER + b"1,AB12 CDE,2030-01-01,2026-01-01,GB,1,tolerant,open,stolen,calais|dover,uk_bound\n",
    _HEADER + b'2,*12C*,2030-01-01T12:00Z,,FR,5,exact,covert,"with, comma",,\n',
    b"\xef\xbb\xbfplate;valid_until\r\nB-MW 555;9999-12-31\r\nAB1?;2030-01-01\r\n",
)
# In memory, where there is such a folder: opening a file on a disk takes longer than all else.
_MEMORY: Final = Path("/dev/shm")  # noqa: S108  the folder in it is this process's own
_FILE: Final = Path(tempfile.mkdtemp(prefix="anpr-fuzz-", dir=_MEMORY if _MEMORY.is_dir() else None)) / "list.csv"
atexit.register(shutil.rmtree, _FILE.parent, ignore_errors=True)

_LINES: Final = (
    _camera_line(),
    _camera_line(plate="12 ABC", country="FR", supersedes="read-0"),
    b'{"read_id": "1", "site": "calais", "plate": "ab12 cde"}',
)

TARGETS: Final[Mapping[str, Target]] = {
    "intake": Target(_LINES, check_read),
    "matching": Target(_LINES, check_match),
    "contracts": Target(
        tuple(
            encode(event)
            for event in (
                _ALERT,
                a_correction(_ALERT),
                an_action("action-1", "claimed", _ALERT),
                an_arrival(_ALERT, NOON),
                _STATUS,
                a_loss(0, 3, 9),
                _HEAD,
            )
        ),
        check_contracts,
    ),
    "csv": Target(_LISTS, check_list),
}
