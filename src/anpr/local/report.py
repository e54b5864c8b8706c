"""Whether a run was right: what the boards show against what the ground truth says they must show. Pure.

The truth is exact for the tiers `exact` and `equivalent`. The others are the matcher's judgement by a probability, so
what they find is counted as right or wrong and makes no run wrong.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from msgspec import Struct

from anpr.board.incident import Incident
from anpr.board.rates import percentile
from anpr.contracts.alert_id import alert_id
from anpr.contracts.events import Alert

# Of these the truth says exactly which alerts must be raised.
SURE_TIERS = ("exact", "equivalent")


class Expected(Struct, frozen=True):
    """An alert that a pass must raise."""

    read_id: str
    entry_id: str
    tier: str


class Guess(Struct, frozen=True):
    """A read, and the entries that a matcher may find beyond the sure tiers and be right about the vehicle."""

    read_id: str
    entries: tuple[str, ...]


class TruePass(Struct, frozen=True):
    """One line of the simulators' ground truth: a pass, the alerts that it must raise, and those that it may."""

    site: str
    expected: tuple[Expected, ...]
    misread: tuple[str, ...] = ()
    guesses: tuple[Guess, ...] = ()


class Truth(Struct, frozen=True):
    """What must be raised, each id with its tier; and for each vehicle that no read gave away, what would find it.

    `guesses` are the ids of all alerts that name the right vehicle although its plate was misread.
    """

    expected: dict[str, str]
    guesses: frozenset[str]
    misread_vehicles: tuple[frozenset[str], ...]


class BoardCheck(Struct, frozen=True):
    """What one port's board shows of the alerts that it must show. Ids and tiers must agree.

    Beyond those a matcher may find vehicles whose plates were misread, by tiers that are not sure. Of such alerts
    `beyond` name the vehicle that was there and `false_guesses` another; what is `unexpected` claims to be sure.
    `misread_vehicles` are the passes of which no read was right, `misread_found` those that a guess found.
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
        """Whether the board shows all that it must and claims to be sure of nothing else."""
        return self.missing == 0 and self.unexpected == 0


class Summary(Struct, frozen=True):
    """What a measured run came to. Latencies in milliseconds from capture, late alerts left out."""

    kafka: str
    reads_in: int
    matched: int
    dead_letters: int
    unaccounted: int
    alerts_by_site: dict[str, int]
    alerts_by_tier: dict[str, int]
    capture_to_alert_ms: dict[str, float | None]
    capture_to_board_ms: dict[str, float | None]
    boards: dict[str, BoardCheck]

    @property
    def is_right(self) -> bool:
        """Whether no read is unaccounted for and every board shows what it must."""
        return self.unaccounted == 0 and self.reads_in > 0 and all(b.is_exact for b in self.boards.values())


def gather(passes: Iterable[TruePass]) -> Truth:
    """Return what the passes of a run must and may raise, by the ids that the matcher gives."""
    expected: dict[str, str] = {}
    guesses: set[str] = set()
    vehicles: list[frozenset[str]] = []
    for one in passes:
        expected |= {alert_id(one.site, alert.read_id, alert.entry_id): alert.tier for alert in one.expected}
        given_away = {alert.entry_id for alert in one.expected}
        finding: defaultdict[str, set[str]] = defaultdict(set)
        for guess in one.guesses:
            ids = {entry: alert_id(one.site, guess.read_id, entry) for entry in guess.entries}
            guesses.update(ids.values())
            if guess.read_id in one.misread:
                for entry in ids.keys() - given_away:
                    finding[entry].add(ids[entry])
        vehicles += [frozenset(ids) for ids in finding.values()]
    return Truth(expected, frozenset(guesses), tuple(vehicles))


def shown_alerts(incidents: Iterable[Incident]) -> dict[str, Alert]:
    """Return every alert on a board by its id. That each is in one incident only is part of being exact."""
    shown: dict[str, Alert] = {}
    for incident in incidents:
        for alert in incident.alerts:
            if alert.alert_id in shown:
                raise AssertionError(f"alert {alert.alert_id} is in two incidents")
            shown[alert.alert_id] = alert
    return shown


def check_board(incidents: Sequence[Incident], truth: Truth) -> BoardCheck:
    """Compare a board with the truth."""
    shown = {found: alert.tier for found, alert in shown_alerts(incidents).items()}
    found = len(shown.items() & truth.expected.items())
    others = {one: tier for one, tier in shown.items() if truth.expected.get(one) != tier}
    unexpected = {one for one, tier in others.items() if tier in SURE_TIERS or one in truth.expected}
    beyond = (others.keys() - unexpected) & truth.guesses
    return BoardCheck(
        expected=len(truth.expected),
        found=found,
        missing=len(truth.expected) - found,
        unexpected=len(unexpected),
        incidents=len(incidents),
        beyond=len(beyond),
        false_guesses=len(others) - len(unexpected) - len(beyond),
        misread_vehicles=len(truth.misread_vehicles),
        misread_found=sum(not ids.isdisjoint(beyond) for ids in truth.misread_vehicles),
    )


def by_site_and_tier(alerts: Iterable[Alert]) -> tuple[dict[str, int], dict[str, int]]:
    """Return how many alerts each site and each tier has."""
    alerts = list(alerts)
    sites, tiers = Counter(alert.read.site for alert in alerts), Counter(alert.tier for alert in alerts)
    return dict(sorted(sites.items())), dict(sorted(tiers.items()))


def percentiles_ms(seconds: Sequence[float]) -> dict[str, float | None]:
    """Return the percentiles by which latencies are told."""
    values = {name: percentile(seconds, share) for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))}
    return {name: None if value is None else round(value * 1000, 1) for name, value in values.items()}
