"""Settings from TOML files in a configuration folder, overridden by the environment.

`anpr.toml` says how the services work, `sites.toml` names the sites, their cameras and servers. An environment
variable overrides a key: its path in upper case, with two underscores between the parts
(`ANPR_MATCHER__BATCH_READS=200`). `KAFKA_BOOTSTRAP` and `REDIS_URL` point every site at one server. An unknown key is
an error that names the nearest known one: a misspelt setting must not be ignored.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

import msgspec
from msgspec import Struct

from anpr.runtime.errors import InputError
from anpr.runtime.nearest import nearest_note
from anpr.runtime.settings import Settings

HOURS_OF_A_DAY = 24


def load_settings(folder: Path, environment: Mapping[str, str]) -> Settings:
    """Read the settings in `folder` and apply the environment. Raises InputError with file, key and reason."""
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
                "settings-not-toml", f"{file}: not TOML: {error}", "correct the line named in the message"
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
                    f"settings: routes {number}: no site has the name {name!r}",
                    f"use two of {', '.join(settings.sites)}",
                )
    if settings.topics.alerts_retention_hours < settings.board.window_hours:
        raise InputError(
            "settings-board-window",
            "settings: topics.alerts_retention_hours is shorter than board.window_hours",
            "make the retention at least as long as the window: a restarted board reads its window from the topics",
        )
    _check_retention(settings)
    return settings


def _check_retention(settings: Settings) -> None:
    """Raise InputError where a sighting would go before its alert can have come, or a matched one before others."""
    kept = settings.retention
    if kept.matched_days < kept.sightings_days:
        raise InputError(
            "settings-retention",
            "settings: retention.matched_days is shorter than retention.sightings_days",
            "keep sightings of alerts at least as long as those that matched nothing",
        )
    alerts_may_come = {
        "topics.reads_retention_hours": settings.topics.reads_retention_hours,
        "history.back_check_hours": settings.history.back_check_hours,
    }
    for name, hours in alerts_may_come.items():
        if kept.sightings_days * HOURS_OF_A_DAY < hours + HOURS_OF_A_DAY:
            raise InputError(
                "settings-retention",
                f"settings: retention.sightings_days is less than a day longer than {name}",
                "keep sightings for a day longer: until then an alert about them may come",
            )


def _override(tree: dict[str, Any], environment: Mapping[str, str]) -> None:
    """Apply the environment variables to the tree of settings."""
    sites = tree.get("sites")
    for site in sites.values() if isinstance(sites, dict) else ():
        if not isinstance(site, dict):
            continue  # refused below, with every other value of the wrong type
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
    """Return the TOML value of the text, or else the text itself: most settings are numbers or plain words."""
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
    """Raise InputError at the first key that `kind` does not have. It names the nearest known key."""
    if get_origin(kind) is Annotated:
        _refuse_unknown(value, get_args(kind)[0], where)
    elif get_origin(kind) is dict and isinstance(value, dict):
        for key, inner in value.items():
            _refuse_unknown(inner, get_args(kind)[1], f"{where}: {key}")
    elif get_origin(kind) is tuple and isinstance(value, list):
        for number, inner in enumerate(value, start=1):
            _refuse_unknown(inner, get_args(kind)[0], f"{where} {number}")
    elif isinstance(kind, type) and issubclass(kind, Struct) and isinstance(value, dict):
        known_keys = {field.name: field.type for field in msgspec.structs.fields(kind)}
        for key, inner in value.items():
            if key not in known_keys:
                raise InputError(
                    "settings-unknown-key",
                    f"{where}: unknown key {key!r}{nearest_note(key, known_keys, 'the nearest known one is')}",
                    "correct the key or remove it",
                )
            _refuse_unknown(inner, known_keys[key], f"{where}: {key}")
