"""How often somebody may fail to sign in. Pure: it is told the time."""

import math
from collections import deque
from datetime import datetime, timedelta

WITHIN = timedelta(minutes=5)
# A person who types badly in one booth; a name that is tried from many places; a booth where many sign in.
MOST_FAILURES = {"name and address": 5, "name": 25, "address": 50}
# More names and addresses than try at once in earnest; the oldest are let go, so that guessing cannot fill memory.
_MOST_KEPT = 10_000

_Key = tuple[str, str]


class SignInLimit:
    """Failures over the last minutes: of a name at an address, of a name, of an address."""

    def __init__(self) -> None:
        """Begin with none."""
        self._failures: dict[_Key, deque[datetime]] = {}

    def wait_seconds(self, now: datetime, name: str, address: str) -> int:
        """Return how long this name must wait at this address before it may be tried again: 0, it may now."""
        return max(self._wait(now, key) for key in _keys(name, address))

    def note_failure(self, now: datetime, name: str, address: str) -> None:
        """Count a failure."""
        for key in _keys(name, address):
            failures = self._failures.pop(key, deque(maxlen=MOST_FAILURES[key[0]]))
            failures.append(now)
            self._failures[key] = failures
        while len(self._failures) > _MOST_KEPT:
            del self._failures[next(iter(self._failures))]

    def _wait(self, now: datetime, key: _Key) -> int:
        failures = self._failures.get(key)
        if failures is None or len(failures) < MOST_FAILURES[key[0]]:
            return 0
        return max(0, math.ceil((failures[0] + WITHIN - now).total_seconds()))


def _keys(name: str, address: str) -> list[_Key]:
    return [("name and address", f"{name} {address}"), ("name", name), ("address", address)]
