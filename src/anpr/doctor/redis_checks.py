"""Each Redis: whether it answers, is home or replica as it should, keeps what it holds, and which list it has."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import redis

from anpr.doctor.findings import Check, Finding, note, well, wrong
from anpr.doctor.list_checks import EMPTIED, PUT_ALL_BACK
from anpr.runtime.clock import Clock
from anpr.runtime.durations import in_words
from anpr.runtime.errors import AnprError
from anpr.runtime.settings import Settings
from anpr.watchlist.store.manifest import Manifest
from anpr.watchlist.store.reader import WatchlistReader, connect

CLOCK_TOLERANCE = timedelta(seconds=2)


def checks(settings: Settings, clock: Clock) -> list[tuple[str, str, Check]]:
    """Return what is to be tried: each address once."""
    home = next(iter(settings.sites.values())).redis
    sites: dict[str, list[str]] = {}
    for name, site in settings.sites.items():
        sites.setdefault(site.redis, []).append(name)
    return [
        ("redis", shown(url), partial(check, url, ", ".join(names), clock, is_home=url == home))
        for url, names in sites.items()
    ]


def shown(url: str) -> str:
    """Return an address without the password in it."""
    scheme, _, rest = url.partition(":")
    return f"{scheme}://{rest.rpartition('@')[2].lstrip('/')}"


def check(url: str, sites: str, clock: Clock, *, is_home: bool) -> Iterable[Finding]:
    """Ask one Redis all that can be asked without changing it."""
    on = f"{shown(url)} ({sites})"
    try:
        client: Any = connect(url)
        seconds, microseconds = client.time()
        here = clock()
        info: Mapping[str, Any] = client.info()
        head = WatchlistReader(client).read_manifest()
    except AnprError as error:
        yield wrong("redis", on, str(error), error.next_step, error.code)
        return
    except redis.RedisError as error:
        yield wrong(
            "redis",
            on,
            f"does not answer: {error}",
            "is it running, and is its URL in sites.toml right?",
            "redis-unavailable",
        )
        return
    yield well("redis", on, f"answers; version {info.get('valkey_version') or info.get('redis_version')}")
    there = datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=microseconds)
    yield from judge_clock("redis", on, here - there)
    yield from judge_role(on, info, is_home=is_home)
    yield from judge_memory(on, info)
    yield from judge_list(on, head, here)


def judge_clock(kind: str, on: str, ahead: timedelta) -> Iterable[Finding]:
    """Tell whether this machine's clock and a server's agree."""
    if abs(ahead) > CLOCK_TOLERANCE:
        word = "ahead of" if ahead > timedelta(0) else "behind"
        seconds = abs(ahead.total_seconds())
        yield wrong(kind, on, f"this machine's clock is {seconds:.1f} s {word} the server's", "set both by NTP")


def judge_role(on: str, info: Mapping[str, Any], *, is_home: bool) -> Iterable[Finding]:
    """Tell whether a Redis is what its place in the configuration makes it: the first site's is home."""
    role = info.get("role")
    if is_home and role != "master":
        yield wrong(
            "redis", on, "the home of the watchlist is a replica: lists cannot be changed",
            "promote it, or put the site whose Redis is the home first in sites.toml",
        )  # fmt: skip
    elif is_home:
        yield well("redis", on, f"is home of the watchlist, with {info.get('connected_slaves', 0)} replicas")
    elif role == "master":
        yield wrong(
            "redis", on, "is no replica: it never gets the lists that are put in force",
            "make it a replica of the home (`replicaof HOST PORT` in its configuration)",
        )  # fmt: skip
    elif info.get("master_link_status") != "up":
        yield wrong("redis", on, "the link to its home is down: its list ages", "is the home reachable from there?")
    else:
        yield well("redis", on, "follows its home")


def judge_memory(on: str, info: Mapping[str, Any]) -> Iterable[Finding]:
    """Tell whether a Redis may throw lists away, or forgets them at a restart."""
    policy, bound = info.get("maxmemory_policy", "noeviction"), int(info.get("maxmemory", 0))
    if policy != "noeviction" and bound:
        yield wrong(
            "redis", on, f"may throw lists away: maxmemory-policy {policy}", "set maxmemory-policy noeviction"
        )
    elif bound and int(info.get("used_memory", 0)) > 0.9 * bound:
        yield wrong("redis", on, "more than 90 % of maxmemory is used: new lists will be refused", "raise maxmemory")
    if not info.get("aof_enabled") and info.get("role") == "master":
        yield note(
            "redis", on, "keeps no append-only file: a restart can lose the newest lists", "set appendonly yes"
        )
    if info.get("aof_enabled") and info.get("aof_last_write_status", "ok") != "ok":
        yield wrong("redis", on, "could not write its append-only file", "make room on its disk")


def judge_list(on: str, head: Manifest | None, now: datetime) -> Iterable[Finding]:
    """Tell which list is there."""
    if head is None:
        step = f"{PUT_ALL_BACK}. If there never was one: `anpr watchlist plan` with --new-list, then `apply`"
        yield wrong("list", on, "no list is in force there", step, EMPTIED)
        return
    entries = sum(place.entries for place in head.lists.values())
    age = now - head.applied_at
    says = f"generation {head.generation} with {entries:,} entries in {len(head.lists)} lists, {in_words(age)} old"
    yield well("list", on, says) if entries else note("list", on, says, "is it meant that nothing is listed?")
