"""Hostile inputs, from a random number generator: good ones that are damaged, as bytes and as JSON. Pure."""

import json
import random
from collections.abc import Sequence
from typing import Any, Final

END = "9999-12-31T23:59:59Z"
# Values that have broken programs: ends of ranges, letters of other scripts, halves of characters, nothing at all.
HOSTILE: Final[Sequence[Any]] = (
    None,
    True,
    0,
    -1,
    2**63,
    -(2**63) - 1,
    10**400,
    1e308,
    -0.0,
    "",
    " ",
    "\x00",
    "A" * 65,
    "A" * 2100,
    "ſß\u0130",
    "\u202eAB12",
    "٠١٢",  # digits of another script
    "🚗",
    "\ud800",
    "*",
    "?",
    "AB?2*",
    "NONE",
    END,
    "0001-01-01T00:00:00+23:59",
    "2026-02-30T00:00:00Z",
    "2026-03-01T12:00:00",
    "=1+1",
    "a|b|",
    [],
    {},
    [[]],
    [None],
    ["A"] * 20,
    {"plate": None},
)
_TOKENS: Final = (
    *(b"NaN", b"Infinity", b"1e999", b"null", b"9" * 30, b"[" * 2000, b"[", b"{", b'"', b",", b";", b"\t", b"\r\n"),
    *(b"\xff", b"\\ud800", b"\\q", b"\xef\xbb\xbf", b"\x00", b"\\"),
)


def damaged(draw: random.Random, good: Sequence[bytes]) -> bytes:
    """Return one of the good inputs after one to four changes."""
    value = draw.choice(good)
    for _ in range(draw.choice((1, 1, 1, 2, 2, 3, 4))):
        value = _as_json(draw, value) if draw.random() < 0.6 else _as_bytes(draw, value, good)
    return value


def _as_json(draw: random.Random, value: bytes) -> bytes:
    """Change one value of a JSON object, at any depth; where it is none, a cell between commas."""
    try:
        record = json.loads(value)
    except (ValueError, RecursionError):
        return _as_cells(draw, value)
    if not isinstance(record, dict) or not record:
        return _as_cells(draw, value)
    inside: Any = record
    while True:
        key = draw.choice(list(inside)) if isinstance(inside, dict) else draw.randrange(len(inside))
        if not (isinstance(inside[key], dict | list) and inside[key]) or draw.random() < 0.3:
            break
        inside = inside[key]
    change = draw.random()
    if change < 0.7:
        inside[key] = draw.choice(HOSTILE)
    elif change < 0.85:
        del inside[key]
    else:
        record[draw.choice(list(record))] = inside[key]
    return json.dumps(record).encode()


def _as_cells(draw: random.Random, value: bytes) -> bytes:
    lines = value.split(b"\n")
    place = draw.randrange(len(lines))
    cells = lines[place].split(b",")
    cells[draw.randrange(len(cells))] = str(draw.choice(HOSTILE)).encode("utf-8", "surrogatepass")
    lines[place] = b",".join(cells)
    return b"\n".join(lines)


def _as_bytes(draw: random.Random, value: bytes, good: Sequence[bytes]) -> bytes:
    """Change, cut, repeat or insert some bytes."""
    place = draw.randrange(len(value) + 1)
    end = min(len(value), place + draw.randrange(1, 9))
    match draw.randrange(5):
        case 0:
            return value[:place] + draw.randbytes(draw.randrange(1, 4)) + value[end:]
        case 1:
            return value[:place]
        case 2:
            return value[:place] + draw.choice(_TOKENS) + value[end:]
        case 3:
            return value[:end] + value[place:]
        case _:
            other = draw.choice(good)
            return value[:place] + other[draw.randrange(len(other) + 1) :]
