"""Settings: TOML files in a configuration folder, overridden by the environment.

`anpr.toml` holds how the services work, `sites.toml` the sites, their cameras and servers. Any key can be overridden
by a variable with its path in upper case and two underscores between the parts (`ANPR_MATCHER__BATCH_READS=200`);
`KAFKA_BOOTSTRAP` and `REDIS_URL` point every site at one server. An unknown key is an error that names the nearest
known one: a setting that is misspelt and ignored is worse than none.
"""

import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta, Struct

from anpr.errors import InputError
from anpr.journeys import Route

# Bounded, so that every duration is one that a clock can add.
Positive = Annotated[float, Meta(gt=0, le=1_000_000)]
Count = Annotated[int, Meta(ge=1)]
SiteName = Annotated[str, Meta(pattern="^[a-z0-9-]{1,40}$")]


class Camera(Struct, frozen=True, forbid_unknown_fields=True):
    """A camera of a site and where it looks."""

    name: str
    lane: str
    position: str
    direction: str = "uk_bound"


class Site(Struct, frozen=True, forbid_unknown_fields=True):
    """A port: its name for people, its own servers, its cameras, and the time that its people go by."""

    title: str
    kafka: str
    redis: str
    cameras: tuple[Camera, ...] = ()
    time_zone: str = "UTC"

    def __post_init__(self) -> None:
        """Raise ValueError for a time zone that there is not."""
        try:
            ZoneInfo(self.time_zone)
        except (KeyError, OSError, ValueError):
            raise ValueError(f"{self.time_zone!r} is no time zone; one is 'Europe/Paris', or 'UTC'") from None

    @property
    def zone(self) -> ZoneInfo:
        """The time that people at this site go by."""
        return ZoneInfo(self.time_zone)


class MatcherSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How the matcher takes reads in."""

    batch_reads: Count = 500
    late_after_seconds: Positive = 60
    session_timeout_seconds: Annotated[float, Meta(ge=3, le=600)] = 6


class WatchlistSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How services follow the list, and what keeps a list from harm."""

    poll_seconds: Positive = 0.05
    state_dir: str = "~/.local/state/anpr"
    removal_share: Annotated[float, Meta(ge=0, le=1)] = 0.2
    keep_previous: Count = 10
    keep_previous_hours: Positive = 72


class BoardSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What belongs to one incident, and how long incidents are shown."""

    stay_gap_minutes: Positive = 30
    window_hours: Positive = 72
    silent_after_seconds: Positive = 5
    camera_silent_after_seconds: Positive = 1800


class ImageSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the images of plates are kept, and for how long. Without a folder they are in the state folder."""

    images_dir: str = ""
    images_retention_hours: Positive = 24


class ConsoleSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How the officers' console behaves."""

    users_file: str = "~/.config/anpr/users.json"
    ack_due_seconds: Positive = 120
    review_below_score: Annotated[float, Meta(ge=0, le=1)] = 0.3
    session_hours: Positive = 12.5
    list_old_after_seconds: Positive = 8
    clock_off_seconds: Positive = 5
    canary_every_seconds: Positive = 60
    canary_due_seconds: Positive = 5


class TopicSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How the topics are made."""

    replication: Count = 1
    reads_partitions: Count = 6
    alerts_partitions: Count = 3
    reads_retention_hours: Positive = 72
    alerts_retention_hours: Positive = 96
    deadletters_retention_hours: Positive = 168


class MetricsSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Where each service serves its metrics and its health. Without a port it serves none."""

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
    metrics: MetricsSettings = MetricsSettings()

    @property
    def state_dir(self) -> Path:
        """The folder for what must outlive a restart without its servers."""
        return Path(self.watchlist.state_dir).expanduser()

    @property
    def index_dir(self) -> Path:
        """The folder of this machine's index."""
        return self.state_dir / "index"

    @property
    def images_dir(self) -> Path:
        """The folder of the images of plates."""
        folder = self.images.images_dir or f"{self.watchlist.state_dir}/images"
        return Path(folder).expanduser()


def load(folder: Path, environment: Mapping[str, str]) -> Settings:
    """Read the settings in `folder` and apply the environment. Raises InputError naming file, key and reason."""
    tree: dict[str, Any] = {}
    for name in ("anpr.toml", "sites.toml"):
        file = folder / name
        try:
            part = tomllib.loads(file.read_text("utf-8"))
        except OSError as error:
            raise InputError(
                "settings-missing",
                f"{file}: {error.strerror or error}",
                "name the configuration folder with --config or ANPR_CONFIG",
            ) from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise InputError(
                "settings-not-toml", f"{file}: not TOML: {error}", "mend the line that the message names"
            ) from None
        _refuse_unknown(part, Settings, str(file))
        tree |= part
    _override(tree, environment)
    try:
        settings = msgspec.convert(tree, Settings)
    except msgspec.ValidationError as error:
        raise InputError(
            "settings-wrong-value",
            f"settings in {folder}: {error}",
            "correct the value, in the file or in the environment variable that overrides it",
        ) from None
    for number, route in enumerate(settings.routes, start=1):
        for name in (route.origin, route.destination):
            if name not in settings.sites:
                raise InputError(
                    "settings-route-site",
                    f"settings: routes {number}: there is no site {name!r}",
                    f"name two of {', '.join(settings.sites)}",
                )
    if settings.topics.alerts_retention_hours < settings.board.window_hours:
        raise InputError(
            "settings-board-window",
            "settings: topics.alerts_retention_hours is shorter than board.window_hours",
            "a restarted board reads its window back from the topics, so they must keep at least that long",
        )
    return settings


def _override(tree: dict[str, Any], environment: Mapping[str, str]) -> None:
    """Put what the environment says into the tree of settings."""
    sites = tree.get("sites")
    for site in sites.values() if isinstance(sites, dict) else ():
        if not isinstance(site, dict):
            continue  # refused with all that is of the wrong type
        for variable, key in (("KAFKA_BOOTSTRAP", "kafka"), ("REDIS_URL", "redis")):
            if environment.get(variable):
                site[key] = environment[variable]
    for variable, value in sorted(environment.items()):
        if not variable.startswith("ANPR_") or variable == "ANPR_CONFIG":
            continue
        *parents, last = variable.removeprefix("ANPR_").lower().split("__")
        branch: dict[str, Any] = {last: _toml_value(value)}
        for parent in reversed(parents):
            branch = {parent: branch}
        _refuse_unknown(branch, Settings, f"environment variable {variable}")
        _merge(tree, branch)


def _toml_value(text: str) -> Any:
    """Return the value that the text is in TOML, else the text itself: most settings are numbers or plain words."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _merge(tree: dict[str, Any], branch: Mapping[str, Any]) -> None:
    for key, value in branch.items():
        if isinstance(value, dict) and isinstance(tree.get(key), dict):
            _merge(tree[key], value)
        else:
            tree[key] = value


def _refuse_unknown(value: Any, kind: Any, where: str) -> None:
    """Raise InputError at the first key that `kind` does not have, with the nearest that it has."""
    if get_origin(kind) is Annotated:
        _refuse_unknown(value, get_args(kind)[0], where)
    elif get_origin(kind) is dict and isinstance(value, dict):
        for key, inner in value.items():
            _refuse_unknown(inner, get_args(kind)[1], f"{where}: {key}")
    elif get_origin(kind) is tuple and isinstance(value, list):
        for number, inner in enumerate(value, start=1):
            _refuse_unknown(inner, get_args(kind)[0], f"{where} {number}")
    elif isinstance(kind, type) and issubclass(kind, Struct) and isinstance(value, dict):
        known = {field.name: field.type for field in msgspec.structs.fields(kind)}
        for key, inner in value.items():
            if key not in known:
                nearest = difflib.get_close_matches(key, known, n=1, cutoff=0)[0]
                raise InputError(
                    "settings-unknown-key",
                    f"{where}: unknown key {key!r}; the nearest known one is {nearest!r}",
                    "correct the key or take it out",
                )
            _refuse_unknown(inner, known[key], f"{where}: {key}")
