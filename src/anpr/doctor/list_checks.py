"""A matcher's list beside the one in its site's Redis: what tells a missing builder from the rest."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from anpr.contracts.events import Status
from anpr.doctor.findings import Finding, well, wrong
from anpr.runtime.durations import in_words
from anpr.runtime.errors import AnprError
from anpr.watchlist.store.manifest import Manifest
from anpr.watchlist.store.reader import WatchlistReader, connect

# A change is with the matchers within a second, and they speak once a second.
SOON = timedelta(seconds=5)
UNCONFIRMED_AFTER = timedelta(seconds=30)
EMPTIED = "watchlist-emptied"
PUT_ALL_BACK = (
    "if it held lists, put ALL of them back before anything else, from its backup or a replica that has them still: "
    "what is applied to an empty Redis replaces every list that it had"
)


class InRedis(NamedTuple):
    """What a Redis that answers says is in force, None when it holds no list at all."""

    head: Manifest | None


def in_redis(url: str) -> InRedis | None:
    """Ask a site's Redis. None when it cannot tell: the check of that Redis says why."""
    try:
        return InRedis(WatchlistReader(connect(url)).read_manifest())
    except AnprError:
        return None


def judge_list(site: str, status: Status, there: InRedis | None, now: datetime) -> Iterable[Finding]:
    """Tell whether a matcher has the list that is in force, and if not, who keeps it from that."""
    who, head = status.matcher, there.head if there else None
    says = f"{who} matches with generation {status.generation}, {status.entries:,} entries"
    start = f"start `anpr index --site {site}` on its machine; if it runs there, its log says what keeps it"
    if status.generation is None:
        if there is None:
            yield wrong("list", site, f"{who} has no list", "see what is said of its Redis")
        elif head is None:
            yield wrong("list", site, f"{who} has no list, and Redis holds none", "see what is said of its Redis")
        else:
            says = f"{who} has no list though Redis has generation {head.generation}"
            yield wrong("list", site, f"{says}: no index builder writes on its machine", start)
    elif there is not None and head is None:
        yield wrong("list", site, f"{says}, and Redis holds no list any more", PUT_ALL_BACK, EMPTIED)
    elif head is not None and head.generation < status.generation:
        says += f", and Redis has the older {head.generation}: it has lost changes, or follows its home late"
        yield wrong("list", site, says, "apply again what was lost: it gets a newer epoch")
    elif head is not None and head.generation > status.generation and now - head.applied_at > SOON:
        says += f"; Redis has the newer {head.generation} for {in_words(now - head.applied_at)}"
        yield wrong("list", site, says, f"{start} (a list of a million takes it a minute)")
    else:
        yield from _judge_age(site, says, status.list_confirmed_at, now, start if head else "")


def _judge_age(site: str, says: str, confirmed: datetime | None, now: datetime, start: str) -> Iterable[Finding]:
    if confirmed is not None and now - confirmed <= UNCONFIRMED_AFTER:
        yield well("list", site, says)
        return
    since = "since its start" if confirmed is None else f"for {in_words(now - confirmed)}"
    step = f"Redis is well: {start}" if start else "see what is said of its Redis"
    yield wrong("list", site, f"{says}, not confirmed by Redis {since}", step)
