"""The settings: every section of `anpr.toml` and `sites.toml`, with its defaults and bounds. Pure.

`settings_files` reads them from the files and the environment.
"""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from msgspec import Meta, Struct

# Bounded, so that a clock can add every duration.
Positive = Annotated[float, Meta(gt=0, le=1_000_000)]
OfPriority = Annotated[tuple[Positive, ...], Meta(min_length=5, max_length=5)]
Count = Annotated[int, Meta(ge=1)]
SiteName = Annotated[str, Meta(pattern="^[a-z0-9-]{1,40}$")]
ApiAddress = Annotated[str, Meta(pattern="^(https?://([A-Za-z0-9.-]+|\\[[0-9a-f:]+\\]):[0-9]{1,5})?$")]

# What is sent to these stays on this machine.
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Camera(Struct, frozen=True, forbid_unknown_fields=True):
    """A camera of a site and where it looks."""

    name: str
    lane: str
    position: str
    direction: str = "uk_bound"


class Site(Struct, frozen=True, forbid_unknown_fields=True):
    """A port: its name for people, its servers, its cameras and its time zone.

    `history` is where its history answers look-ups: `https://host:port`. A site without it answers none.
    """

    title: str
    kafka: str
    redis: str
    cameras: tuple[Camera, ...] = ()
    time_zone: str = "UTC"
    history: ApiAddress = ""

    def __post_init__(self) -> None:
        """Raise ValueError for a time zone that does not exist, or an address to which plates would go in clear."""
        if self.history:
            self._check_history()
        try:
            ZoneInfo(self.time_zone)
        except (KeyError, OSError, ValueError):
            raise ValueError(f"{self.time_zone!r} is not a time zone; 'Europe/Paris' and 'UTC' are") from None

    def _check_history(self) -> None:
        host, port = self.history_endpoint
        if not 0 < port < 65_536:
            raise ValueError(f"history: {port} is not a port")
        if self.history.startswith("http:") and host not in LOOPBACK:
            raise ValueError(f"history: {self.history} would send plates in clear over the network; use https://")

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of this site."""
        return ZoneInfo(self.time_zone)

    @property
    def history_endpoint(self) -> tuple[str, int]:
        """Host and port of `history`, which must be set."""
        host, _, port = self.history.partition("://")[2].rpartition(":")
        return host.strip("[]"), int(port)


class Route(Struct, frozen=True, forbid_unknown_fields=True):
    """A route from one site to another: the minutes of the crossing, and of the usual wait for a departure."""

    origin: str
    destination: str
    by: Literal["ferry", "shuttle", "road"]
    crossing_minutes: Annotated[float, Meta(gt=0, le=10_000)]
    wait_minutes: Annotated[float, Meta(ge=0, le=10_000)] = 0


class MatcherSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How the matcher polls reads, and when a read is late."""

    batch_reads: Count = 2000
    late_after_seconds: Positive = 60
    session_timeout_seconds: Annotated[float, Meta(ge=3, le=600)] = 6


class WatchlistSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How services follow the watchlist, and what protects it against mistakes."""

    poll_seconds: Positive = 0.25
    state_dir: str = "~/.local/state/anpr"
    removal_share: Annotated[float, Meta(ge=0, le=1)] = 0.2
    keep_previous: Count = 10
    keep_previous_hours: Positive = 72


class BoardSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Which alerts make one incident, how long incidents are shown, and when a site or a camera counts as silent."""

    stay_gap_minutes: Positive = 30
    window_hours: Positive = 72
    silent_after_seconds: Positive = 5
    camera_silent_after_seconds: Positive = 1800


class ImageSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Where plate images are kept, and for how long. Without `images_dir` they are in the state folder."""

    images_dir: str = ""
    images_retention_hours: Positive = 24


class ConsoleSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How the officers' console behaves.

    Only the headers of `trusted_proxies`, given by their addresses, say who asks and whether by TLS.
    `claim_due_seconds` is one number for every incident, or five: for priority 1 to 5.
    """

    users_file: str = "~/.config/anpr/users.json"
    ack_due_seconds: Positive = 120
    claim_due_seconds: Positive | OfPriority = 600
    review_below_score: Annotated[float, Meta(ge=0, le=1)] = 0.3
    session_hours: Positive = 12.5
    list_old_after_seconds: Positive = 8
    clock_off_seconds: Positive = 5
    canary_every_seconds: Positive = 60
    canary_due_seconds: Positive = 5
    trusted_proxies: tuple[str, ...] = ()

    def claim_due(self, priority: int) -> timedelta:
        """Return after how long without an action of its holder a claim is unattended."""
        due = self.claim_due_seconds
        return timedelta(seconds=due[priority - 1] if isinstance(due, tuple) else due)


class TopicSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How the topics are created."""

    replication: Count = 1
    reads_partitions: Count = 6
    alerts_partitions: Count = 3
    reads_retention_hours: Positive = 72
    alerts_retention_hours: Positive = 96
    deadletters_retention_hours: Positive = 168
    audit_heads_retention_hours: Positive = 8784

    @property
    def losses_kept_hours(self) -> float:
        """How long a loss is shown: while the actions topic surely still holds its acknowledgement."""
        return min(self.alerts_retention_hours, self.deadletters_retention_hours)


class HistorySettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Where history keeps its stores, and how sites ask each other's history.

    The stores are at a PostgreSQL address (`url`), else in a folder of SQLite files. `certificate`, its key and
    `authority` are PEM files: what this machine's histories show, and whose certificates it accepts from others.
    Without an authority those that the system trusts are accepted.
    """

    folder: str = ""
    url: str = ""
    back_check_hours: Annotated[float, Meta(gt=0, le=8760)] = 72
    certificate: str = ""
    certificate_key: str = ""
    authority: str = ""
    tokens_file: str = "~/.config/anpr/site-tokens.json"
    answer_within_seconds: Annotated[float, Meta(gt=0, le=60)] = 3
    officer_look_ups_per_minute: Count = 30
    site_look_ups_per_minute: Count = 300


class AuditSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the audit chains of this machine are. Without `folder` they are in the state folder."""

    folder: str = ""


class RetentionSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How many days something is kept after its day: a sighting of no alert, one of an alert, an audit record.

    Alerts, corrections and actions stay in history as long as the sightings of alerts.
    """

    sightings_days: Annotated[int, Meta(ge=1, le=365)] = 30
    matched_days: Annotated[int, Meta(ge=1, le=3650)] = 365
    audit_days: Annotated[int, Meta(ge=1, le=3650)] = 730


class MetricsSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Where each service serves its metrics and its health. Without a port it does not serve them."""

    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65_535)] | None = None


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """All settings of one installation."""

    sites: Annotated[dict[SiteName, Site], Meta(min_length=1)]
    routes: tuple[Route, ...] = ()
    matcher: MatcherSettings = MatcherSettings()
    watchlist: WatchlistSettings = WatchlistSettings()
    board: BoardSettings = BoardSettings()
    console: ConsoleSettings = ConsoleSettings()
    topics: TopicSettings = TopicSettings()
    images: ImageSettings = ImageSettings()
    history: HistorySettings = HistorySettings()
    audit: AuditSettings = AuditSettings()
    retention: RetentionSettings = RetentionSettings()
    metrics: MetricsSettings = MetricsSettings()

    @property
    def zones(self) -> dict[str, ZoneInfo]:
        """The time zone of each site."""
        return {name: site.zone for name, site in self.sites.items()}

    @property
    def sites_to_ask(self) -> tuple[str, ...]:
        """The sites that a look-up asks. One without cameras and without a history has seen nothing."""
        return tuple(name for name, site in self.sites.items() if site.cameras or site.history)

    @property
    def arrival_sites(self) -> tuple[str, ...]:
        """The sites with cameras to which a ferry or shuttle leads: there `anpr meet` sees vehicles arrive."""
        reached = {route.destination for route in self.routes if route.by != "road"}
        return tuple(name for name, site in self.sites.items() if site.cameras and name in reached)

    @property
    def back_check_sites(self) -> tuple[str, ...]:
        """The sites with cameras and a history: there `anpr back-check` looks for newly listed vehicles."""
        return tuple(name for name, site in self.sites.items() if site.cameras and site.history)

    @property
    def state_dir(self) -> Path:
        """The folder for the files that a service needs after a restart, even when its servers are away."""
        return Path(self.watchlist.state_dir).expanduser()

    @property
    def index_dir(self) -> Path:
        """The folder of this machine's index."""
        return self.state_dir / "index"

    @property
    def images_dir(self) -> Path:
        """The folder of the plate images."""
        folder = self.images.images_dir or f"{self.watchlist.state_dir}/images"
        return Path(folder).expanduser()

    @property
    def history_dir(self) -> Path:
        """The folder of the history of all sites, where it is kept in files."""
        folder = self.history.folder or f"{self.watchlist.state_dir}/history"
        return Path(folder).expanduser()

    @property
    def erasure_key_file(self) -> Path:
        """The key of the hashes of the reads that were erased from the histories of this machine."""
        return self.state_dir / "erasure.key"

    @property
    def audit_dir(self) -> Path:
        """The folder of the audit chains of all sites."""
        folder = self.audit.folder or f"{self.watchlist.state_dir}/audit"
        return Path(folder).expanduser()

    @property
    def tokens_file(self) -> Path:
        """The file of the tokens by which sites know each other."""
        return Path(self.history.tokens_file).expanduser()
