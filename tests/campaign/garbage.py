"""Records that no service can use: bytes, broken JSON, values beyond the bounds of the contracts. Pure."""

import json
import random
from collections.abc import Callable

END = "9999-12-31T23:59:59Z"


def garbage(draw: random.Random, name: str) -> bytes:
    """Return a record that cannot be decoded as any contract. `name` makes it unlike every other."""
    return draw.choice(_KINDS)(draw, name)


def _bytes(draw: random.Random, name: str) -> bytes:
    return b"\xff\x00" + name.encode() + draw.randbytes(draw.randrange(200))


def _cut(_: random.Random, name: str) -> bytes:
    return b'{"read_id": "' + name.encode()


def _deep(draw: random.Random, name: str) -> bytes:
    return b'{"' + name.encode() + b'":' + b"[" * draw.choice((10, 5000))


def _wrong_types(draw: random.Random, name: str) -> bytes:
    value: object = draw.choice((None, 1e300, [], {}, True, "x" * 3000))
    fields = ("read_id", "site", "plate", "alert_id", "action_id", "type", "kind", "at", "read", "entry", "matcher")
    return json.dumps({**dict.fromkeys(fields, value), "name": name}).encode()


def _far_future(_: random.Random, name: str) -> bytes:
    fields = ("captured_at", "at", "raised_at", "started_at", "list_confirmed_at", "until")
    return json.dumps({**dict.fromkeys(fields, END), "action_id": name, "alert_id": name, "kind": "outcome"}).encode()


def _long(_: random.Random, name: str) -> bytes:
    return json.dumps({"read_id": name, "site": "calais", "plate": "A" * 70_000}).encode()


def _no_object(draw: random.Random, name: str) -> bytes:
    return json.dumps(draw.choice(([name], name))).encode()


_KINDS: tuple[Callable[[random.Random, str], bytes], ...] = (
    _bytes,
    _cut,
    _deep,
    _wrong_types,
    _far_future,
    _long,
    _no_object,
)
