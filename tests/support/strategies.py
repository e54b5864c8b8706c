"""Examples of the contracts: plain ones with fields to change, and strategies for everything that they allow."""

import sys
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from hypothesis import strategies as st

from anpr.contracts.alert_id import alert_id
from anpr.contracts.events import (
    ACTION_KINDS,
    DIRECTIONS,
    HANDLINGS,
    KINDS,
    OUTCOMES,
    PLATE_CHECKS,
    POSITIONS,
    TIERS,
    TOLERANCES,
    Action,
    Alert,
    Arrival,
    ArrivalsWatched,
    AuditHead,
    BackCheckStatus,
    Candidate,
    Correction,
    Cover,
    Difference,
    Entry,
    EntryEnded,
    Explanation,
    Generation,
    Loss,
    Read,
    Status,
    Vehicle,
)
from anpr.runtime.timestamps import to_the_millisecond

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def minutes(count: float) -> datetime:
    """Return the moment so many minutes after noon."""
    return NOON + timedelta(minutes=count)


def generation(number: int, epoch: int = 1) -> Generation:
    return Generation(epoch=epoch, number=number)


def an_entry(entry_id: str = "entry-1", **fields: Any) -> Entry:
    """Return an entry that is valid for years, with the fields given."""
    given: dict[str, Any] = {
        "revision": generation(1),
        "list": "stolen",
        "plate": "AB12CDE",
        "valid_until": datetime(2030, 1, 1, tzinfo=UTC),
    }
    return Entry(entry_id=entry_id, **(given | fields))


def as_written(moment: datetime) -> str:
    """Return a time as these tests' cameras write it."""
    return msgspec.json.encode(moment).decode().strip('"')


def a_read(read_id: str = "read-1", **fields: Any) -> Read:
    """Return a decoded read at Calais, captured at noon, with the fields given."""
    given: dict[str, Any] = {"site": "calais", "plate": "AB12CDE", "captured_at": NOON} | fields
    claimed_at = as_written(given["captured_at"]) if given["captured_at"] else ""
    return Read(read_id=read_id, **({"claimed_at": claimed_at} | given))


def an_alert(read: Read, entry: Entry, **fields: Any) -> Alert:
    """Return the alert of this read and this entry, with the fields given."""
    given: dict[str, Any] = {
        "kind": "live",
        "raised_at": read.captured_at,
        "plate": entry.plate,
        "tier": "exact",
        "score": 0.9,
        "explanation": Explanation(read_as=read.plate, listed_as=entry.plate),
        "generation": entry.revision,
    }
    name = alert_id(read.identity, entry.entry_id)
    return Alert(alert_id=name, read=read, entry=entry, **(given | fields))


def a_correction(alert: Alert, read_id: str = "better", **fields: Any) -> Correction:
    """Return the correction of an alert's read by its camera at the same moment, with the fields given."""
    read = alert.read
    given: dict[str, Any] = {"site": read.site, "supersedes": read.read_id, "camera": read.camera}
    return Correction(read_id=read_id, **({"captured_at": alert.captured_at} | given | fields))


def an_action(action_id: str, kind: str, alert: Alert | str, **fields: Any) -> Action:
    """Return an action of an officer at Calais on an alert, with the fields given."""
    given: dict[str, Any] = {"site": "calais", "officer": "Ann", "at": NOON}
    named = alert if isinstance(alert, str) else alert.alert_id
    return Action(action_id=action_id, kind=kind, alert_id=named, **(given | fields))


def an_arrival(alert: Alert | str, captured_at: datetime, **fields: Any) -> Arrival:
    """Return the arrival at Dover of the vehicle that an alert made expected, with the fields given."""
    given: dict[str, Any] = {"site": "dover", "read_id": "arrived", "camera": "in-1", "lane": "1", "tier": "exact"}
    named = alert if isinstance(alert, str) else alert.alert_id
    return Arrival(alert_id=named, captured_at=captured_at, **(given | fields))


def every_character() -> Iterator[str]:
    """Yield every character of Unicode; of those without a meaning (private, unassigned) one in a thousand."""
    for number in range(sys.maxunicode + 1):
        if number % 1000 == 0 or unicodedata.category(chr(number)) not in {"Cn", "Co"}:
            yield chr(number)


def words(known: tuple[str, ...]) -> st.SearchStrategy[str]:
    """Return values of an enumeration: the known ones, and some that a later version may have."""
    return st.sampled_from(known) | st.text(max_size=64)


identifiers = st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1, max_size=128)
names = st.text(max_size=64)
notes = st.text(max_size=100)
shares = st.floats(0, 1)
# Whole days before the bounds, so that milliseconds do not round beyond them.
instants = st.datetimes(datetime(1970, 1, 1), datetime(2199, 12, 31), timezones=st.just(UTC)).map(to_the_millisecond)  # noqa: DTZ001  Hypothesis adds the zone
# The validity of an entry may name any moment.
any_moments = st.datetimes(timezones=st.just(UTC)).map(to_the_millisecond)
claimed_times = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=64)
countries = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=2, max_size=2)
generations = st.builds(Generation, epoch=st.integers(0, 2**40), number=st.integers(0, 2**40))
vehicles = st.builds(Vehicle, kind=st.none() | names, make=st.none() | names, colour=st.none() | names)
candidates = st.builds(Candidate, plate=names, confidence=st.none() | shares)


def _tuples(of: st.SearchStrategy[Any], most: int = 3) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(of, max_size=most).map(tuple)


reads = st.builds(
    Read,
    read_id=identifiers,
    site=names,
    plate=names,
    camera=names,
    lane=st.none() | names,
    direction=st.none() | words(DIRECTIONS),
    position=st.none() | words(POSITIONS),
    pass_id=st.none() | identifiers,
    supersedes=st.none() | identifiers,
    captured_at=st.none() | instants,
    country=st.none() | countries,
    confidence=st.none() | shares,
    char_confidences=_tuples(shares, 8),
    candidates=_tuples(candidates),
    vehicle=st.none() | vehicles,
    image=st.none() | notes,
    received_at=st.none() | instants,
    clock_suspect=st.booleans(),
    dropped_fields=_tuples(names),
    claimed_at=claimed_times,
)
entries = st.builds(
    Entry,
    entry_id=identifiers,
    revision=generations,
    list=names,
    plate=names,
    country=st.none() | countries,
    category=names,
    priority=st.integers(1, 5),
    reason=notes,
    instruction=notes,
    warnings=_tuples(notes),
    valid_from=st.none() | any_moments,
    valid_until=any_moments,
    valid_from_day=st.none() | st.dates(),
    valid_until_day=st.none() | st.dates(),
    sites=_tuples(names),
    directions=_tuples(words(DIRECTIONS)),
    tolerance=words(TOLERANCES),
    handling=words(HANDLINGS),
    vehicle=st.none() | vehicles,
    owner=names,
    legal_basis=notes,
    source=notes,
)
explanations = st.builds(
    Explanation,
    read_as=names,
    listed_as=names,
    differences=_tuples(
        st.builds(Difference, place=st.integers(1, 16), read=names, listed=names, why=notes),
    ),
    notes=_tuples(notes),
)
alerts = st.builds(
    Alert,
    alert_id=identifiers,
    kind=words(KINDS),
    raised_at=instants,
    read=reads,
    plate=names,
    tier=words(TIERS),
    score=shares,
    explanation=explanations,
    entry=entries,
    generation=generations,
)
corrections = st.builds(
    Correction,
    site=names,
    read_id=identifiers,
    supersedes=identifiers,
    camera=names,
    captured_at=st.none() | instants,
)
actions = st.builds(
    Action,
    action_id=identifiers,
    alert_id=identifiers,
    site=names,
    officer=names,
    at=instants,
    kind=words(ACTION_KINDS),
    plate_check=st.none() | words(PLATE_CHECKS),
    outcome=st.none() | words(OUTCOMES),
    covers=_tuples(st.builds(Cover, entry_id=identifiers, tier=words(TIERS))),
    retracts=st.none() | identifiers,
    holder=st.none() | names,
    hands_to=st.none() | names,
    note=notes,
)
arrivals = st.builds(
    Arrival,
    site=names,
    alert_id=identifiers,
    read_id=identifiers,
    camera=names,
    lane=st.none() | names,
    captured_at=instants,
    tier=words(TIERS),
)
ends = st.builds(EntryEnded, entry_id=identifiers, revision=generations, ended_at=instants, why=notes)
statuses = st.builds(
    Status,
    site=names,
    matcher=names,
    at=instants,
    started_at=instants,
    generation=st.none() | generations,
    entries=st.integers(0, 2**40),
    list_applied_at=st.none() | instants,
    list_confirmed_at=st.none() | instants,
    reads=st.integers(0, 2**40),
    alerts=st.integers(0, 2**40),
    dead_letters=st.integers(0, 2**40),
    dropped_fields=st.integers(0, 2**40),
    partitions=st.integers(0, 2**40),
    lag=st.none() | st.integers(0, 2**40),
    cameras=st.dictionaries(names, instants, max_size=4),
    clock_offset_seconds=st.dictionaries(names, st.floats(-1e6, 1e6), max_size=4),
    reused_read_ids=st.dictionaries(names, st.integers(0, 2**40), max_size=4),
)
losses = st.builds(
    Loss,
    loss_id=identifiers,
    site=names,
    topic=names,
    topic_id=names,
    partition=st.none() | st.integers(0, 2**20),
    first_offset=st.integers(0, 2**40),
    last_offset=st.none() | st.integers(0, 2**40),
    since=st.none() | instants,
    until=instants,
    found_at=st.none() | instants,
)
audit_heads = st.builds(
    AuditHead,
    site=st.sampled_from(["calais", "dover"]),
    service=st.sampled_from(["console-1.lane-pc", "history-1.lane-pc"]),
    chain=st.text("0123456789abcdef", min_size=16, max_size=16),
    sequence=st.integers(1, 10**12),
    hash=st.text("0123456789abcdef", min_size=64, max_size=64),
    at=instants,
)
# Every event that travels, by the name of its contract.
events: dict[str, st.SearchStrategy[msgspec.Struct]] = {
    "read": reads,
    "alert": alerts,
    "correction": corrections,
    "entry": entries,
    "action": actions,
    "arrival": arrivals,
    "arrivals_watched": st.builds(ArrivalsWatched, site=names, until=instants),
    "entry_ended": ends,
    "status": statuses,
    "back_check_status": st.builds(
        BackCheckStatus,
        site=names,
        at=instants,
        looked_up_to=generations,
        records_left=st.integers(0, 2**40),
        behind_since=st.none() | instants,
    ),
    "loss": losses,
    "audit_head": audit_heads,
}
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | instants.map(datetime.isoformat),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def confidence_counts(draw: st.DrawFn) -> tuple[int, ...]:
    """Draw how many reads of a camera have each confidence, in hundredths: enough to learn from."""
    some = draw(st.dictionaries(st.integers(0, 100), st.integers(1, 2_000), min_size=1, max_size=12))
    enough = draw(st.integers(0, 100))
    return tuple(some.get(hundredth, 0) + (1_000 if hundredth == enough else 0) for hundredth in range(101))
