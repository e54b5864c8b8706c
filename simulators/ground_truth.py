"""The ground truth of a run: for each pass of a listed plate, the alerts that its published reads must raise."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from anpr.contracts.events import Read
from simulators.expected_alerts import Watchlist
from simulators.lines_file import LinesFile
from simulators.pass_records import Pass
from simulators.run import written_time
from simulators.scenarios import Notice
from simulators.traffic import Sighting


@dataclass(slots=True)
class _OpenPass:
    """A pass that may still send records."""

    vehicle_pass: Pass
    turned_away_from: str = ""
    expected: list[dict[str, Any]] = field(default_factory=list)
    misread: list[str] = field(default_factory=list)
    guesses: list[dict[str, Any]] = field(default_factory=list)
    no_plate: list[str] = field(default_factory=list)
    named: list[dict[str, Any]] = field(default_factory=list)

    def line(self) -> bytes:
        vehicle = self.vehicle_pass.vehicle
        facts: dict[str, Any] = {
            "pass_id": self.vehicle_pass.pass_id,
            "site": self.vehicle_pass.site,
            "plate": vehicle.front.text,
            "country": vehicle.front.country,
        }
        if vehicle.rear != vehicle.front:
            facts["trailer_plate"] = vehicle.rear.text
        if self.turned_away_from:
            facts["turned_away_from"] = self.turned_away_from
        if self.named:
            facts["named"] = self.named
        if self.no_plate:
            facts["no_plate"] = self.no_plate
        alerts = {"expected": self.expected, "misread": self.misread, "guesses": self.guesses}
        return msgspec.json.encode(facts | alerts)


class GroundTruth:
    """Gets each record as it is published, and writes one line for each pass with a listed plate or a match.

    It writes the line after the pass's last record, or at the end of the run. So the line covers exactly what was
    published. Only the passes that are not complete yet are in memory.
    """

    def __init__(self, watchlist: Watchlist, lines: LinesFile, notices: Iterable[Notice] = ()) -> None:
        """Write to `lines`, which the caller closes after this. Each of `notices` is written at its moment."""
        self._watchlist = watchlist
        self._notices = sorted(notices, key=lambda notice: notice.at_s)
        self._lines = lines
        self._open: dict[str, _OpenPass] = {}
        # By entry: at which sites vehicles with its plate were turned away, and when the last of them.
        self._turned_away: defaultdict[str, dict[str, datetime]] = defaultdict(dict)

    def send(self, sighting: Sighting, captured_at: datetime, _: bytes) -> None:
        """Note one published record."""
        vehicle_pass, read = sighting.vehicle_pass, sighting.read
        self._write_notices(sighting.published_s)
        if not sighting.is_duplicate:
            expected = self._watchlist.expected(read, captured_at)
            guesses = self._watchlist.guesses(sighting.true_plate.text, read, captured_at)
            open_pass = self._open.get(vehicle_pass.pass_id)
            named = self._watchlist.named(read)
            of_interest = expected or named or guesses or not sighting.is_plate or self._is_listed(vehicle_pass)
            if open_pass is None and of_interest:
                open_pass = self._open[vehicle_pass.pass_id] = _OpenPass(vehicle_pass)
            if open_pass is not None:
                open_pass.turned_away_from = open_pass.turned_away_from or self._from_where(named, read, captured_at)
                of_read = {
                    "read_id": read.read_id,
                    "camera": read.camera,
                    "claimed_at": written_time(captured_at),
                }
                open_pass.expected.extend(
                    of_read | {"entry_id": entry_id, "tier": tier} for entry_id, tier in expected
                )
                if named:
                    open_pass.named.append(of_read | {"entries": named})
                if self._watchlist.misread(sighting.true_plate.text, read, captured_at):
                    open_pass.misread.append(read.read_id)
                if guesses:
                    open_pass.guesses.append(of_read | {"entries": guesses})
                if not sighting.is_plate:
                    open_pass.no_plate.append(read.read_id)
                _mark_superseded(open_pass, read.supersedes)
        if sighting.is_last_of_pass and (done := self._open.pop(vehicle_pass.pass_id, None)):
            self._lines.write(done.line())
            # An officer turns away what an alert shows: without one the vehicle went on.
            for alert in done.expected if vehicle_pass.turned_away else ():
                self._turned_away[alert["entry_id"]][vehicle_pass.site] = captured_at

    def idle(self) -> None:
        """Flush the lines so far."""
        self._lines.idle()

    def close(self) -> None:
        """Write the lines of the passes that are not complete."""
        for open_pass in self._open.values():
            self._lines.write(open_pass.line())
        self._open.clear()

    def _from_where(self, named: Iterable[str], read: Read, captured_at: datetime) -> str:
        """Return another site that had turned a vehicle with such a plate away before a read, "" for none.

        Whether it tries another port at once or comes again after it was at home: the ports know it for a day.
        """
        sites = {
            site for entry_id in named for site, at in self._turned_away.get(entry_id, {}).items() if at < captured_at
        }
        return min(sites - {read.site}, default="")

    def _write_notices(self, now_s: float) -> None:
        while self._notices and self._notices[0].at_s <= now_s:
            notice = self._notices.pop(0)
            line = {"site": notice.site, "expected": (), "notice": notice.facts}
            self._lines.write(msgspec.json.encode(line))

    def _is_listed(self, vehicle_pass: Pass) -> bool:
        return self._watchlist.holds(vehicle_pass.vehicle.front.text) or self._watchlist.holds(
            vehicle_pass.vehicle.rear.text
        )


def _mark_superseded(open_pass: _OpenPass, read_id: str | None) -> None:
    """Mark the alerts of a read that another read has replaced. They must still be raised, and then withdrawn."""
    for expectation in [*open_pass.expected, *open_pass.named]:
        if expectation["read_id"] == read_id:
            expectation["superseded"] = True
