"""Whether a run was right: what the boards show against what the ground truth says they must show. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from anpr.alerts import alert_id
from anpr.events import Alert
from anpr.incidents import Incident
from anpr.services.rates import percentile


class Expected(Struct, frozen=True):
    """An alert that a pass must raise."""

    read_id: str
    entry_id: str
    tier: str


class TruePass(Struct, frozen=True):
    """One line of the simulators' ground truth: a pass, and the alerts that it must raise."""

    site: str
    expected: tuple[Expected, ...]


class BoardCheck(Struct, frozen=True):
    """What one port's board shows of the alerts that it must show. Ids and tiers must agree."""

    expected: int
    found: int
    missing: int
    unexpected: int
    incidents: int

    @property
    def is_exact(self) -> bool:
        """Whether the board shows exactly the expected alerts."""
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
        """Whether no read is unaccounted for and every board shows exactly what it must."""
        return self.unaccounted == 0 and self.reads_in > 0 and all(b.is_exact for b in self.boards.values())


def expected_alerts(truth: Iterable[TruePass]) -> dict[str, str]:
    """Return the ids of the alerts that must be raised, each with its tier."""
    return {alert_id(one.site, alert.read_id, alert.entry_id): alert.tier for one in truth for alert in one.expected}


def shown_alerts(incidents: Iterable[Incident]) -> dict[str, Alert]:
    """Return every alert on a board by its id. That each is in one incident only is part of being exact."""
    shown: dict[str, Alert] = {}
    for incident in incidents:
        for alert in incident.alerts:
            if alert.alert_id in shown:
                raise AssertionError(f"alert {alert.alert_id} is in two incidents")
            shown[alert.alert_id] = alert
    return shown


def check_board(incidents: Sequence[Incident], expected: Mapping[str, str]) -> BoardCheck:
    """Compare a board with what it must show."""
    shown = {found: alert.tier for found, alert in shown_alerts(incidents).items()}
    found = len(shown.items() & expected.items())
    return BoardCheck(len(expected), found, len(expected) - found, len(shown) - found, len(incidents))


def by_site_and_tier(alerts: Iterable[Alert]) -> tuple[dict[str, int], dict[str, int]]:
    """Return how many alerts each site and each tier has."""
    alerts = list(alerts)
    sites, tiers = Counter(alert.read.site for alert in alerts), Counter(alert.tier for alert in alerts)
    return dict(sorted(sites.items())), dict(sorted(tiers.items()))


def percentiles_ms(seconds: Sequence[float]) -> dict[str, float | None]:
    """Return the percentiles by which latencies are told."""
    values = {name: percentile(seconds, share) for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))}
    return {name: None if value is None else round(value * 1000, 1) for name, value in values.items()}
