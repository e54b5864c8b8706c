"""The ground truth of a run: for each pass that matters, the alerts that its published reads must raise."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from simulators.files import LinesFile
from simulators.listing import Watchlist
from simulators.passes import Pass
from simulators.scenarios import Notice
from simulators.traffic import Sighting


@dataclass(slots=True)
class _Open:
    """A pass of which records may still come."""

    going_by: Pass
    expected: list[dict[str, Any]] = field(default_factory=list)
    misread: list[str] = field(default_factory=list)
    guesses: list[dict[str, Any]] = field(default_factory=list)
    no_plate: list[str] = field(default_factory=list)

    def line(self) -> bytes:
        vehicle = self.going_by.vehicle
        facts: dict[str, Any] = {
            "pass_id": self.going_by.pass_id,
            "site": self.going_by.site,
            "plate": vehicle.front.text,
            "country": vehicle.front.country,
        }
        if vehicle.rear != vehicle.front:
            facts["trailer_plate"] = vehicle.rear.text
        if self.no_plate:
            facts["no_plate"] = self.no_plate
        told = {"expected": self.expected, "misread": self.misread, "guesses": self.guesses}
        return msgspec.json.encode(facts | told)


class Truth:
    """Takes each record as it is published, and writes one line for each pass with a listed plate or a match.

    A line is written when its pass has sent its last record, or at the end, so that it tells of exactly what was
    published. Only the passes that are under way are held.
    """

    def __init__(self, watchlist: Watchlist, lines: LinesFile, notices: Iterable[Notice] = ()) -> None:
        """Write to `lines`, which the caller closes after this. `notices` are written when their moment comes."""
        self._watchlist = watchlist
        self._notices = sorted(notices, key=lambda notice: notice.at_s)
        self._lines = lines
        self._open: dict[str, _Open] = {}

    def send(self, sighting: Sighting, captured_at: datetime, _: bytes) -> None:
        """Take one published record, captured at that moment."""
        going_by, read = sighting.of, sighting.read
        self._write_notices(sighting.published_s)
        if not sighting.duplicate:
            expected = self._watchlist.expected(read, captured_at)
            guesses = self._watchlist.guesses(sighting.shown.text, read, captured_at)
            kept = self._open.get(going_by.pass_id)
            of_interest = expected or guesses or not sighting.of_plate or self._is_listed(going_by)
            if kept is None and of_interest:
                kept = self._open[going_by.pass_id] = _Open(going_by)
            if kept is not None:
                kept.expected.extend(
                    {"read_id": read.read_id, "entry_id": entry_id, "tier": tier} for entry_id, tier in expected
                )
                if self._watchlist.misread(sighting.shown.text, read, captured_at):
                    kept.misread.append(read.read_id)
                if guesses:
                    kept.guesses.append({"read_id": read.read_id, "entries": guesses})
                if not sighting.of_plate:
                    kept.no_plate.append(read.read_id)
                _mark_superseded(kept, read.supersedes)
        if sighting.last_of_pass and (done := self._open.pop(going_by.pass_id, None)):
            self._lines.write(done.line())

    def idle(self) -> None:
        """Let others see the lines so far."""
        self._lines.idle()

    def close(self) -> None:
        """Write the lines of the passes that were still under way."""
        for kept in self._open.values():
            self._lines.write(kept.line())
        self._open.clear()

    def _write_notices(self, now_s: float) -> None:
        while self._notices and self._notices[0].at_s <= now_s:
            notice = self._notices.pop(0)
            line = {"site": notice.site, "expected": (), "notice": notice.facts}
            self._lines.write(msgspec.json.encode(line))

    def _is_listed(self, going_by: Pass) -> bool:
        return self._watchlist.holds(going_by.vehicle.front.text) or self._watchlist.holds(going_by.vehicle.rear.text)


def _mark_superseded(kept: _Open, read_id: str | None) -> None:
    """Mark the alerts of a read that another has replaced. They must still be raised, and then withdrawn."""
    for expectation in kept.expected:
        if expectation["read_id"] == read_id:
            expectation["superseded"] = True
