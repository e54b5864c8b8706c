"""Checks each Redis: whether it answers, has the right role and keeps its lists, and which generation it has."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import redis

from anpr.doctor.findings import Check, Finding, note, well, wrong
from anpr.doctor.list_checks import EMPTIED, RESTORE_ALL_LISTS
from anpr.runtime.clock import Clock
from anpr.runtime.durations import in_words
from anpr.runtime.errors import AnprError
from anpr.runtime.plurals import counted
from anpr.runtime.settings import Settings
from anpr.watchlist.store.manifest import Manifest
from anpr.watchlist.store.reader import WatchlistReader, connect

CLOCK_TOLERANCE = timedelta(seconds=2)


def checks(settings: Settings, clock: Clock) -> list[tuple[str, str, Check]]:
    """Return the checks: each address once."""
    home = next(iter(settings.sites.values())).redis
    sites: dict[str, list[str]] = {}
    for name, site in settings.sites.items():
        sites.setdefault(site.redis, []).append(name)
    return [
        ("redis", shown(url), partial(check, url, ", ".join(names), clock, is_home=url == home))
        for url, names in sites.items()
    ]


def shown(url: str) -> str:
    """Return an address without its password."""
    scheme, _, rest = url.partition(":")
    return f"{scheme}://{rest.rpartition('@')[2].lstrip('/')}"


def check(url: str, sites: str, clock: Clock, *, is_home: bool) -> Iterable[Finding]:
    """Check one Redis without changing it."""
    subject = f"{shown(url)} ({sites})"
    try:
        client: Any = connect(url)
        seconds, microseconds = client.time()
        local_time = clock()
        info: Mapping[str, Any] = client.info()
        manifest = WatchlistReader(client).read_manifest()
    except AnprError as error:
        yield wrong("redis", subject, str(error), error.next_step, error.code)
        return
    except redis.RedisError as error:
        yield wrong(
            "redis",
            subject,
            f"does not answer: {error}",
            "check that it runs and that its URL in sites.toml is right",
            "redis-unavailable",
        )
        return
    yield well("redis", subject, f"answers; version {info.get('valkey_version') or info.get('redis_version')}")
    server_time = datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=microseconds)
    yield from judge_clock("redis", subject, local_time - server_time)
    yield from judge_role(subject, info, is_home=is_home)
    yield from judge_memory(subject, info)
    yield from judge_redis_list(subject, manifest, local_time)


def judge_clock(kind: str, subject: str, ahead: timedelta) -> Iterable[Finding]:
    """Report whether the clocks of this machine and of a server agree."""
    if abs(ahead) > CLOCK_TOLERANCE:
        direction = "ahead of" if ahead > timedelta(0) else "behind"
        seconds = abs(ahead.total_seconds())
        message = f"this machine's clock is {seconds:.1f} s {direction} the server's"
        yield wrong(kind, subject, message, "set both clocks by NTP")


def judge_role(subject: str, info: Mapping[str, Any], *, is_home: bool) -> Iterable[Finding]:
    """Report whether a Redis has the role that the configuration gives it: the first site's Redis is the home."""
    role = info.get("role")
    if is_home and role != "master":
        yield wrong(
            "redis", subject, "the home of the watchlist is a replica, so lists cannot be changed",
            "promote it, or put the site whose Redis is the home first in sites.toml",
        )  # fmt: skip
    elif is_home:
        yield well("redis", subject, f"is the home of the watchlist, with {info.get('connected_slaves', 0)} replicas")
    elif role == "master":
        yield wrong(
            "redis", subject, "is not a replica, so it never gets the lists",
            "make it a replica of the home (`replicaof HOST PORT` in its configuration)",
        )  # fmt: skip
    elif info.get("master_link_status") != "up":
        yield wrong(
            "redis", subject, "the link to its home is down, so it gets no changes",
            "check that its machine can reach the home",
        )  # fmt: skip
    else:
        yield well("redis", subject, "follows its home")


def judge_memory(subject: str, info: Mapping[str, Any]) -> Iterable[Finding]:
    """Report whether a Redis may evict lists, or lose them at a restart."""
    policy, bound = info.get("maxmemory_policy", "noeviction"), int(info.get("maxmemory", 0))
    if policy != "noeviction" and bound:
        yield wrong(
            "redis", subject, f"may evict lists: maxmemory-policy {policy}", "set maxmemory-policy noeviction"
        )
    elif bound and int(info.get("used_memory", 0)) > 0.9 * bound:
        message = "uses more than 90 % of maxmemory: it will refuse new lists"
        yield wrong("redis", subject, message, "raise maxmemory")
    if not info.get("aof_enabled") and info.get("role") == "master":
        yield note(
            "redis", subject, "keeps no append-only file: a restart can lose the newest lists", "set appendonly yes"
        )
    if info.get("aof_enabled") and info.get("aof_last_write_status", "ok") != "ok":
        yield wrong("redis", subject, "could not write its append-only file", "free space on its disk")


def judge_redis_list(subject: str, manifest: Manifest | None, now: datetime) -> Iterable[Finding]:
    """Report the generation in a Redis."""
    if manifest is None:
        step = f"{RESTORE_ALL_LISTS}. If there never was a list: `anpr watchlist plan` with --new-list, then `apply`"
        yield wrong("list", subject, "it holds no list", step, EMPTIED)
        return
    lists = manifest.lists
    entries, age = sum(stored.entries for stored in lists.values()), in_words(now - manifest.applied_at)
    held = f"{counted(entries, 'entry', 'entries')} in {counted(len(lists), 'list')}"
    message = f"generation {manifest.generation} with {held}, {age} old"
    if entries:
        yield well("list", subject, message)
    else:
        yield note("list", subject, message, "check that the lists are meant to be empty")
