"""Compares a matcher's watchlist with the one in its site's Redis, and so finds a missing index builder."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from anpr.contracts.events import Status
from anpr.doctor.findings import Finding, well, wrong
from anpr.runtime.durations import in_words
from anpr.runtime.errors import AnprError
from anpr.runtime.plurals import counted
from anpr.watchlist.store.manifest import Manifest
from anpr.watchlist.store.reader import WatchlistReader, connect

# Matchers get a change within a second, and publish their status once a second.
SOON = timedelta(seconds=5)
UNCONFIRMED_AFTER = timedelta(seconds=30)
EMPTIED = "watchlist-emptied"
RESTORE_ALL_LISTS = (
    "if this Redis held lists, restore ALL of them before anything else, from its backup or a replica that still has "
    "them: whatever you apply to an empty Redis replaces every list that it had"
)
SEE_REDIS = "see the findings for this site's Redis"


class RedisAnswer(NamedTuple):
    """The manifest in a Redis that answers, None when that Redis holds no list."""

    manifest: Manifest | None


def ask_redis(url: str) -> RedisAnswer | None:
    """Ask a site's Redis for its manifest. Return None when it does not answer: its own check reports why."""
    try:
        return RedisAnswer(WatchlistReader(connect(url)).read_manifest())
    except AnprError:
        return None


def judge_matcher_list(site: str, status: Status, answer: RedisAnswer | None, now: datetime) -> Iterable[Finding]:
    """Report whether a matcher has the active generation, and if not, what stops it."""
    matcher, manifest = status.matcher, answer.manifest if answer else None
    message = f"{matcher} matches with generation {status.generation}, {counted(status.entries, 'entry', 'entries')}"
    start = f"start `anpr index --site {site}` on its machine; if it runs there, its log has the reason"
    if status.generation is None:
        if answer is None:
            yield wrong("list", site, f"{matcher} has no list", SEE_REDIS)
        elif manifest is None:
            yield wrong("list", site, f"{matcher} has no list, and Redis holds none", SEE_REDIS)
        else:
            message = f"{matcher} has no list, but Redis has generation {manifest.generation}"
            yield wrong("list", site, f"{message}: no index builder writes on its machine", start)
    elif answer is not None and manifest is None:
        yield wrong("list", site, f"{message}, but Redis holds no list any more", RESTORE_ALL_LISTS, EMPTIED)
    elif manifest is not None and manifest.generation < status.generation:
        message += f", but Redis has the older {manifest.generation}: it lost changes, or replicates them late"
        yield wrong("list", site, message, "apply the lost changes again: they get a newer epoch")
    elif manifest is not None and manifest.generation > status.generation and now - manifest.applied_at > SOON:
        message += f", but Redis has had the newer {manifest.generation} for {in_words(now - manifest.applied_at)}"
        yield wrong("list", site, message, f"{start} (a list of a million entries takes a minute)")
    else:
        yield from _judge_age(site, message, status.list_confirmed_at, now, start if manifest else "")


def _judge_age(site: str, message: str, confirmed: datetime | None, now: datetime, start: str) -> Iterable[Finding]:
    if confirmed is not None and now - confirmed <= UNCONFIRMED_AFTER:
        yield well("list", site, message)
        return
    since = "since its start" if confirmed is None else f"for {in_words(now - confirmed)}"
    step = f"Redis is well: {start}" if start else SEE_REDIS
    yield wrong("list", site, f"{message}, not confirmed by Redis {since}", step)
