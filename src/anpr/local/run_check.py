"""Checks a run: compares the alerts on the boards with those of the ground truth. Pure.

The truth is exact for the tiers `exact` and `equivalent`. The other tiers are the matcher's judgement of a
probability: their alerts are counted as right or false, but a false one does not make the run wrong.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from msgspec import Struct

from anpr.board.incident import Incident
from anpr.board.journeys import expected_at
from anpr.board.rates import percentile
from anpr.contracts import turned_away
from anpr.contracts.alert_id import alert_id
from anpr.contracts.events import Alert, ReadIdentity
from anpr.runtime.settings import Route

# For these tiers the truth says exactly which alerts must be raised.
SURE_TIERS = ("exact", "equivalent")


class _ReadFacts(Struct, frozen=True, kw_only=True):
    """What follows from one read of a pass. `claimed_at` is its capture time as the simulator wrote it."""

    read_id: str
    camera: str
    claimed_at: str

    def identity(self, site: str) -> ReadIdentity:
        """Return the identity of the read, which was made at `site`."""
        return ReadIdentity(site, self.camera, self.read_id, self.claimed_at)


class ExpectedAlert(_ReadFacts, frozen=True, kw_only=True):
    """An alert that a pass must raise."""

    entry_id: str
    tier: str


class Guess(_ReadFacts, frozen=True, kw_only=True):
    """A read, and the entries of the right vehicle that a matcher may find by other than the sure tiers."""

    entries: tuple[str, ...]


class ListedRead(_ReadFacts, frozen=True, kw_only=True):
    """A read of a listed plate, wherever its entries are valid. One that another read replaces is `superseded`."""

    entries: tuple[str, ...]
    superseded: bool = False


class TruePass(Struct, frozen=True):
    """One line of the simulators' ground truth: a pass, and the alerts that it must and may raise.

    `named` are its reads of a listed plate. With `turned_away_from`, that site had turned the vehicle away before.
    """

    site: str
    expected: tuple[ExpectedAlert, ...]
    misread: tuple[str, ...] = ()
    guesses: tuple[Guess, ...] = ()
    named: tuple[ListedRead, ...] = ()
    pass_id: str = ""
    turned_away_from: str = ""


class Truth(Struct, frozen=True):
    """The ground truth of a run.

    Attributes:
        expected: The tier of each alert that must be raised, by the alert's id.
        guesses: The ids of all alerts that name the right vehicle although its plate was misread.
        turned_away: The passes of vehicles that another site had turned away, by their ids.
        misread_vehicles: For each vehicle without any right read, the ids of the alerts that would find it.
    """

    expected: dict[str, str]
    guesses: frozenset[str]
    misread_vehicles: tuple[frozenset[str], ...]
    turned_away: frozenset[str] = frozenset()


class BoardCheck(Struct, frozen=True):
    """How one port's board compares with the truth. Ids and tiers of alerts must agree.

    A matcher may also find vehicles whose plates were misread, by tiers that are not sure.

    Attributes:
        expected: Alerts that the board must show.
        found: Expected alerts that it shows.
        missing: Expected alerts that it does not show.
        unexpected: Alerts of a sure tier that the truth does not have.
        incidents: Incidents on the board.
        beyond: Alerts of other tiers that name the vehicle that was there.
        false_guesses: Alerts of other tiers that name another vehicle.
        misread_vehicles: Passes without any right read.
        misread_found: Misread vehicles that a guess found.
    """

    expected: int
    found: int
    missing: int
    unexpected: int
    incidents: int
    beyond: int = 0
    false_guesses: int = 0
    misread_vehicles: int = 0
    misread_found: int = 0

    @property
    def is_exact(self) -> bool:
        """Whether the board shows every expected alert and no other alert of a sure tier."""
        return self.missing == 0 and self.unexpected == 0


class HistoryCheck(Struct, frozen=True):
    """What the histories of all ports hold, and what was found in them.

    Attributes:
        sightings: All sightings. A read that a camera repeated is stored each time.
        retrospective: Alerts on the boards of vehicles that were listed after they had passed.
        retrospective_missing: Expected alerts of such vehicles that are not on the boards.
        arrivals_met: Vehicles that were expected at another port and seen there, as the board says.
        arrivals_met_missing: Those that were seen there, as the truth says, and not as the board says.
        arrivals_met_unexpected: Those that are met by a sure tier on the board alone.
        turned_away_met: Vehicles that were turned away at one port and known for that at the next.
        turned_away_met_missing: Those that came to the next and were not known for that.
    """

    sightings: int
    retrospective: int = 0
    retrospective_missing: int = 0
    arrivals_met: int = 0
    arrivals_met_missing: int = 0
    arrivals_met_unexpected: int = 0
    turned_away_met: int = 0
    turned_away_met_missing: int = 0

    @property
    def finds_all(self) -> bool:
        """Whether everything is found that the truth has, and nothing else."""
        return not (
            self.retrospective_missing
            or self.arrivals_met_missing
            or self.arrivals_met_unexpected
            or self.turned_away_met_missing
        )


class Summary(Struct, frozen=True):
    """The result of a measured run. Latencies are in milliseconds from capture, without late alerts.

    There is no history on a mock broker: it knows no topic ids.
    """

    kafka: str
    reads_in: int
    matched: int
    dead_letters: int
    unaccounted: int
    alerts_by_site: dict[str, int]
    alerts_by_tier: dict[str, int]
    alerts_by_kind: dict[str, int]
    capture_to_alert_ms: dict[str, float | None]
    capture_to_board_ms: dict[str, float | None]
    boards: dict[str, BoardCheck]
    history: HistoryCheck | None

    @property
    def is_right(self) -> bool:
        """Whether every read is accounted for and stored, what was stored is found, and every board is exact."""
        found = HistoryCheck(self.matched) if self.history is None else self.history
        is_stored = found.sightings == self.matched and found.finds_all
        is_accounted_for = self.unaccounted == 0 and self.reads_in > 0
        return is_stored and is_accounted_for and all(board.is_exact for board in self.boards.values())


def truth_of(passes: Sequence[TruePass]) -> Truth:
    """Return the alerts that the passes of a run must and may raise, by the ids that the matcher gives."""
    expected: dict[str, str] = {}
    guesses: set[str] = set()
    vehicles: list[frozenset[str]] = []
    for vehicle in passes:
        expected |= {alert_id(alert.identity(vehicle.site), alert.entry_id): alert.tier for alert in vehicle.expected}
        read_right = {alert.entry_id for alert in vehicle.expected}
        guesses_of_entry: defaultdict[str, set[str]] = defaultdict(set)
        for guess in vehicle.guesses:
            ids = {entry: alert_id(guess.identity(vehicle.site), entry) for entry in guess.entries}
            guesses.update(ids.values())
            if guess.read_id in vehicle.misread:
                for entry in ids.keys() - read_right:
                    guesses_of_entry[entry].add(ids[entry])
        vehicles += [frozenset(ids) for ids in guesses_of_entry.values()]
    turned_away_before = frozenset(
        vehicle.pass_id
        for vehicle in passes
        if vehicle.turned_away_from and not all(read.superseded for read in vehicle.named)
    )
    return Truth(expected, frozenset(guesses), tuple(vehicles), turned_away_before)


def passed_before(passes: Iterable[TruePass], entries: Collection[str], listed_at: datetime) -> set[str]:
    """Return the ids of the expected alerts of these entries whose vehicles passed before that moment."""
    return {
        alert_id(alert.identity(vehicle.site), alert.entry_id)
        for vehicle in passes
        for alert in vehicle.expected
        if alert.entry_id in entries and datetime.fromisoformat(alert.claimed_at) < listed_at
    }


def shown_alerts(incidents: Iterable[Incident]) -> dict[str, Alert]:
    """Return every alert on a board by its id. Raises AssertionError if one is in two incidents."""
    shown: dict[str, Alert] = {}
    for incident in incidents:
        for alert in incident.alerts:
            if alert.alert_id in shown:
                raise AssertionError(f"alert {alert.alert_id} is in two incidents")
            shown[alert.alert_id] = alert
    return shown


def check_board(incidents: Sequence[Incident], truth: Truth) -> BoardCheck:
    """Compare a board with the truth."""
    shown = {
        alert_id: alert.tier
        for alert_id, alert in shown_alerts(incidents).items()
        if not (is_of_turned_away(alert) and alert.read.pass_id in truth.turned_away)
    }
    found = len(shown.items() & truth.expected.items())
    other_alerts = {alert: tier for alert, tier in shown.items() if truth.expected.get(alert) != tier}
    unexpected = {alert for alert, tier in other_alerts.items() if tier in SURE_TIERS or alert in truth.expected}
    beyond = (other_alerts.keys() - unexpected) & truth.guesses
    return BoardCheck(
        expected=len(truth.expected),
        found=found,
        missing=len(truth.expected) - found,
        unexpected=len(unexpected),
        incidents=len(incidents),
        beyond=len(beyond),
        false_guesses=len(other_alerts) - len(unexpected) - len(beyond),
        misread_vehicles=len(truth.misread_vehicles),
        misread_found=sum(not ids.isdisjoint(beyond) for ids in truth.misread_vehicles),
    )


def is_of_turned_away(alert: Alert) -> bool:
    """Tell whether an alert says that another port had turned the vehicle away."""
    return alert.entry.list == turned_away.LIST


class ArrivalCheck(NamedTuple):
    """How many expected vehicles a board has met, and how many of them only the truth or only the board has met."""

    met: int
    missing: int
    unexpected: int


def check_arrivals(
    incidents: Iterable[Incident], passes: Iterable[TruePass], routes: Iterable[Route], now: datetime
) -> ArrivalCheck:
    """Compare the arrivals on a board with the truth: when which plate was read where."""
    seen: defaultdict[tuple[str, str], list[datetime]] = defaultdict(list)
    for vehicle in passes:
        for read in vehicle.named:
            for entry_id in () if read.superseded else read.entries:
                seen[vehicle.site, entry_id].append(datetime.fromisoformat(read.claimed_at))
    met = missing = unexpected = 0
    for incident in incidents:
        for site, concern in expected_at(incident, routes, now):
            may_be_there = concern.seen_from or concern.earliest
            until = min(concern.until, concern.seen_before or concern.until)
            at_site = seen[site, incident.best.entry.entry_id]
            has_come = any(may_be_there <= moment <= until for moment in at_site)
            met += concern.met is not None
            missing += has_come and concern.met is None
            unexpected += concern.met is not None and concern.met.tier in SURE_TIERS and not has_come
    return ArrivalCheck(met, missing, unexpected)


def known_as_turned_away(shown: Iterable[Alert]) -> set[str]:
    """Return the passes of vehicles of which an alert says that another port had turned them away."""
    return {alert.read.pass_id for alert in shown if is_of_turned_away(alert) and alert.read.pass_id}


def count_by(alerts: Iterable[Alert], value_of: Callable[[Alert], str]) -> dict[str, int]:
    """Return how many alerts have each value, such as their site."""
    return dict(sorted(Counter(map(value_of, alerts)).items()))


def percentiles_ms(seconds: Sequence[float]) -> dict[str, float | None]:
    """Return the percentiles that are reported of latencies, in milliseconds to a tenth."""
    values = {name: percentile(seconds, share) for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))}
    return {name: None if value is None else round(value * 1000, 1) for name, value in values.items()}
