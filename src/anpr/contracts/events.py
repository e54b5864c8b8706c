"""The contracts: the records on the topics, as JSON on the wire and as Structs here.

Rules that every consumer may rely on:

- Times are RFC 3339 in UTC, to the millisecond.
- Unknown fields are ignored. Fields are only ever added; a changed meaning needs a new topic version.
- Values lie within the bounds of `anpr.contracts.bounds`. A record beyond them is refused, as one that is no JSON.
- Values of an enumeration travel as text. A value that a consumer does not know *needs a person*: the record is
  shown, and no rule made for the known values closes, narrows or hides it.

`docs/schemas/` holds the JSON Schema of each contract, generated from this file.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Final, NamedTuple, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from anpr.contracts.bounds import beyond_bounds

DIRECTIONS: Final = ("uk_bound", "fr_bound")
POSITIONS: Final = ("front", "rear")
# Most urgent first: when two alerts of one id are merged, `live` beats `late`, and `late` beats `retrospective`.
KINDS: Final = ("live", "late", "retrospective")
# Surest first. An entry's tolerance says which tiers may match it; see `matching`.
TIERS: Final = ("exact", "equivalent", "folded", "near", "pattern")
TOLERANCES: Final = ("exact", "tolerant", "near")
HANDLINGS: Final = ("open", "covert")
ACTION_KINDS: Final = (
    "seen",
    "claimed",
    "released",
    "plate_check",
    "outcome",
    "comment",
    "retracted",
    "loss_acknowledged",
    "attended",
)
PLATE_CHECKS: Final = ("same", "different", "unreadable")
OUTCOMES: Final = (
    "stopped_found",
    "stopped_nothing_found",
    "turned_away",
    "misread",
    "same_plate_other_vehicle",
    "entry_out_of_date",
    "already_dealt_with",
    "passed_before_ack",
    "handed_to_uk_port",
    "observed_only",
)


def _known(values: tuple[str, ...]) -> Meta:
    return Meta(max_length=64, extra_json_schema={"x-known-values": list(values)})


Direction = Annotated[str, _known(DIRECTIONS)]
Position = Annotated[str, _known(POSITIONS)]
Kind = Annotated[str, _known(KINDS)]
Tier = Annotated[str, _known(TIERS)]
Tolerance = Annotated[str, _known(TOLERANCES)]
Handling = Annotated[str, _known(HANDLINGS)]
ActionKind = Annotated[str, _known(ACTION_KINDS)]
PlateCheck = Annotated[str, _known(PLATE_CHECKS)]
Outcome = Annotated[str, _known(OUTCOMES)]

# Identifiers are hashed with NUL between them, so an identifier must not contain NUL.
Identifier = Annotated[str, Meta(min_length=1, max_length=128, pattern="^[^\\x00]*$")]
Name = Annotated[str, Meta(max_length=64)]
Note = Annotated[str, Meta(max_length=2000)]
Share = Annotated[float, Meta(ge=0, le=1)]
Instant = Annotated[datetime, Meta(tz=True)]
ClaimedTime = Annotated[str, Meta(max_length=64, pattern="^[^\\x00]*$")]
PlateText = Annotated[str, Meta(max_length=64)]
Country = Annotated[str, Meta(max_length=2, pattern="^[A-Z]{2}$")]
MOST_CANDIDATES: Final = 16


def is_covert_handling(handling: Handling) -> bool:
    """Return whether only people with the covert permission may see it. An unknown handling counts as covert."""
    return handling != "open"


class Candidate(Struct, frozen=True, kw_only=True):
    """Another text that the camera thinks the plate may have."""

    plate: PlateText
    confidence: Share | None = None


class Vehicle(Struct, frozen=True, kw_only=True):
    """The vehicle itself, as the camera or the list describes it."""

    kind: Name | None = None
    make: Name | None = None
    colour: Name | None = None


class ReadIdentity(NamedTuple):
    """What tells a read from every other, and is the same in each repeat of it: see `Read`."""

    site: str
    camera: str
    read_id: str
    claimed_at: str


class Read(Struct, frozen=True, kw_only=True):
    """One observation of one plate by one camera.

    Two records are the same read when `site`, `camera`, `read_id` and `claimed_at` are the same. `claimed_at` is
    `captured_at` as the camera wrote it, character by character. A camera that sends a read again must repeat all of
    them, and a gateway must not write the time in another way. A camera that restarts may use a `read_id` again: with
    another capture time it is another read. A camera that writes no capture time must never use a `read_id` again.
    `supersedes` names an earlier read of the same camera; see `Correction`.

    A read can be matched with a usable `read_id`, `site` and one usable plate: `plate` or a candidate's. Every other
    field may be missing. A bad field is dropped, counted and named in `dropped_fields`; an unusable `plate` is named
    there too, but kept as it was read. Of `candidates` only the bad ones are dropped, and all after the first 16 good
    ones. The decoder (`anpr.reads.decoder`) sets `received_at`, `clock_suspect`, `dropped_fields` and `claimed_at`;
    it ignores what the camera sends in these fields.

    `claimed_at` is empty when the camera wrote no time. A time that is no text is the JSON that the camera wrote.
    What is longer than 64 characters, holds NUL or is not UTF-8 is `sha256:` and 32 hexadecimal digits of its digest.
    """

    read_id: Identifier
    site: Name
    plate: PlateText
    camera: Name = ""
    lane: Name | None = None
    direction: Direction | None = None
    position: Position | None = None
    pass_id: Identifier | None = None
    supersedes: Identifier | None = None
    captured_at: Instant | None = None
    country: Country | None = None
    confidence: Share | None = None
    char_confidences: Annotated[tuple[Share, ...], Meta(max_length=64)] = ()
    candidates: Annotated[tuple[Candidate, ...], Meta(max_length=MOST_CANDIDATES)] = ()
    vehicle: Vehicle | None = None
    image: Annotated[str, Meta(max_length=512)] | None = None
    received_at: Instant | None = None
    clock_suspect: bool = False
    dropped_fields: tuple[str, ...] = ()
    claimed_at: ClaimedTime = ""

    @property
    def identity(self) -> ReadIdentity:
        """What tells it from every other read."""
        return ReadIdentity(self.site, self.camera, self.read_id, self.claimed_at)


class Generation(Struct, frozen=True, order=True, kw_only=True):
    """One state of the watchlist. The epoch grows at each fail-over of its home, so that no pair occurs twice."""

    epoch: int
    number: int

    def __str__(self) -> str:
        return f"{self.epoch}.{self.number}"


# The generation of a list that does not exist, and the revision of an entry that is not active yet.
NO_GENERATION: Final = Generation(epoch=0, number=0)


class Entry(Struct, frozen=True, kw_only=True):
    """A plate or pattern on a list: why, for whom, how exactly it must be read, and from when until when.

    `valid_from_day` and `valid_until_day` are the first and the last day where the list gives days: days at the site
    where the vehicle is read. They decide (`anpr.contracts.local_days`). `valid_from` is then the earliest start over
    all sites, and `valid_until` the latest end.
    """

    entry_id: Identifier
    revision: Generation
    list: Name
    plate: PlateText
    country: Country | None = None
    category: Name = ""
    priority: Annotated[int, Meta(ge=1, le=5)] = 3
    reason: Note = ""
    instruction: Note = ""
    warnings: Annotated[tuple[Note, ...], Meta(max_length=16)] = ()
    valid_from: Instant | None = None
    valid_until: Instant
    valid_from_day: date | None = None
    valid_until_day: date | None = None
    sites: Annotated[tuple[Name, ...], Meta(max_length=64)] = ()
    directions: Annotated[tuple[Name, ...], Meta(max_length=16)] = ()
    tolerance: Tolerance = "tolerant"
    handling: Handling = "open"
    vehicle: Vehicle | None = None
    owner: Name = ""
    legal_basis: Note = ""
    source: Note = ""

    @property
    def is_covert(self) -> bool:
        """Whether only people with the covert permission may see it."""
        return is_covert_handling(self.handling)


class Difference(Struct, frozen=True, kw_only=True):
    """A difference between the read and the listed plate: one letter, a missing or extra one, or swapped letters.

    `read` and `listed` hold the letters; one of them is empty where a letter is missing, and both are longer where
    letters are swapped. `place` is the position in the listed plate, counted from 1; for an extra letter, the
    position that it would have there. `read_place` is the position in the read, null where the read lacks the letter.
    """

    place: int
    read: str
    listed: str
    why: str
    read_place: int | None = None

    def span(self, *, read: bool) -> range:
        """Return the positions of these letters in the read or the listed plate, from 0; empty if it lacks them."""
        position, letters = ((self.read_place or self.place), self.read) if read else (self.place, self.listed)
        return range(position - 1, position - 1 + len(letters))


class Explanation(Struct, frozen=True, kw_only=True):
    """Why a read matched an entry: the two texts, their differences, and notes on the doubts.

    `calibration` says in words what the confidence of the text counts as. It is there only where that is not what the
    camera says.
    """

    read_as: str
    listed_as: str
    differences: tuple[Difference, ...] = ()
    notes: tuple[str, ...] = ()
    calibration: str | UnsetType = UNSET


class Alert(Struct, frozen=True, kw_only=True, tag_field="type", tag="alert"):
    """The fact that one read matched one entry. Every matcher gives it the same id, however often it is raised.

    `alert_id` is 32 hexadecimal digits: the first 128 bits of SHA-256 over the read's `site`, `camera`, `read_id` and
    `claimed_at` and the entry's `entry_id`, in UTF-8 with NUL between them.
    """

    alert_id: Identifier
    kind: Kind
    raised_at: Instant
    read: Read
    plate: PlateText
    tier: Tier
    score: Share
    explanation: Explanation
    entry: Entry
    generation: Generation

    @property
    def captured_at(self) -> datetime:
        """When the camera saw the vehicle: the decoder gives every matched read a capture time."""
        return self.read.captured_at or self.raised_at

    @property
    def is_covert(self) -> bool:
        """Whether only people with the covert permission may see it."""
        return self.entry.is_covert

    @property
    def has_trusted_latency(self) -> bool:
        """Whether its age measures how fast the system is: it is live, and its camera's clock is right."""
        return self.kind == "live" and not self.read.clock_suspect


class Correction(Struct, frozen=True, kw_only=True, tag_field="type", tag="correction"):
    """The fact that the read `read_id` replaces the read `supersedes`, whether or not either of them matched.

    It counts for the reads `supersedes` of the same `site` and `camera` that were captured from ten minutes before
    `captured_at` until `captured_at`, both included. `captured_at` is the capture time of the read `read_id`.

    A correction without `captured_at` comes from an earlier version. It counts as it did there, for any camera of the
    site and any capture time, but only for reads without `claimed_at`: those that a matcher of that version matched.
    """

    site: Name
    read_id: Identifier
    supersedes: Identifier
    camera: Name = ""
    captured_at: Instant | None = None


class Cover(Struct, frozen=True, kw_only=True):
    """An entry, and the best tier that the officer saw on the screen for it when recording an outcome."""

    entry_id: Identifier
    tier: Tier


class Action(Struct, frozen=True, kw_only=True):
    """What an officer did about an alert.

    An outcome settles the alert itself and the entries in `covers`, so it never closes an alert that the officer had
    not seen (docs/adr/0004). If it says that it was another vehicle, it settles nothing that was captured later than
    the alert. A release ends the claim of its officer or, when a supervisor makes it, the claim of `holder`. With
    `hands_to`, that colleague holds the incident from the same moment. By the kind `attended` the holder says that
    they still deal with it. The kind `loss_acknowledged` belongs to no alert: `alert_id` holds the id of the loss
    that a person has seen.
    """

    action_id: Identifier
    alert_id: Identifier
    site: Name
    officer: Name
    at: Instant
    kind: ActionKind
    plate_check: PlateCheck | None = None
    outcome: Outcome | None = None
    covers: tuple[Cover, ...] = ()
    retracts: Identifier | None = None
    holder: Name | None = None
    hands_to: Name | None = None
    note: Note = ""


class Arrival(Struct, frozen=True, kw_only=True, tag_field="type", tag="arrival"):
    """The fact that a vehicle that was expected at `site` was seen there, whether or not that raised an alert.

    `alert_id` names an alert of the incident that made it expected, so whoever may know of that alert may know of
    this. `camera`, `read_id` and `captured_at` are those of the read, and `tier` says how surely it is the vehicle.
    """

    site: Name
    alert_id: Identifier
    read_id: Identifier
    camera: Name = ""
    lane: Name | None = None
    captured_at: Instant
    tier: Tier


# After so long without `ArrivalsWatched` nobody checks arrivals any more.
ARRIVALS_UNWATCHED_AFTER: Final = timedelta(minutes=1)


class ArrivalsWatched(Struct, frozen=True, kw_only=True, tag_field="type", tag="arrivals_watched"):
    """The fact that expected vehicles have been looked for at `site` among all that it had read by `until`.

    It comes three times a minute on the arrivals topic. Its silence shows that nobody checks arrivals there.
    """

    site: Name
    until: Instant


class EntryEnded(Struct, frozen=True, kw_only=True):
    """An entry left its list. Alerts of its earlier revisions are withdrawn, unless it comes back."""

    entry_id: Identifier
    revision: Generation
    ended_at: Instant
    why: Note


class EntryListed(Struct, frozen=True, kw_only=True):
    """An entry is on its list at a generation. That may be long after the generation that last changed it."""

    entry: Entry
    generation: Generation


class UnknownCamera(Struct, frozen=True, kw_only=True):
    """A camera that the configuration does not name: how many reads it made, and when the last one arrived."""

    reads: int
    last_read_at: Instant


# More names are only counted: names come from outside.
MOST_UNKNOWN_CAMERAS: Final = 20


class Status(Struct, frozen=True, kw_only=True):
    """What a matcher publishes about itself once a second. Its silence shows that it has stopped (docs/adr/0005).

    `cameras` holds the newest capture time of each camera. `clock_offset_seconds` holds the capture time minus the
    time of arrival, by camera: above 0 the camera's clock is ahead; far below 0 it is behind, or its reads come late.
    `reused_read_ids` counts by camera the reads whose read id the camera had used for another capture: it has
    restarted, or two devices share its name.
    `unknown_cameras` holds the cameras that the configuration does not name, as far as they made reads in the last
    hour: the names with the most reads. Their reads are matched like all others. The last status of a matcher that
    was stopped in order has `has_left`; nobody waits for it.

    `dropped_fields` and what is said of cameras come from `sampled_reads` of the reads, those that were decoded
    whole: all reads as long as no camera sends more than one in a second, and of a camera that sends more at least
    one in each second. Null in the statuses of earlier versions, which decoded every read whole.
    """

    site: Name
    matcher: Name
    at: Instant
    started_at: Instant
    generation: Generation | None = None
    entries: int = 0
    list_applied_at: Instant | None = None
    list_confirmed_at: Instant | None = None
    reads: int = 0
    alerts: int = 0
    dead_letters: int = 0
    dropped_fields: int = 0
    sampled_reads: int | None = None
    alerts_too_large: int = 0
    partitions: int = 0
    lag: int | None = None
    cameras: dict[str, Instant] = {}
    clock_offset_seconds: dict[str, float] = {}
    reused_read_ids: dict[str, int] = {}
    unknown_cameras: dict[str, UnknownCamera] = {}
    has_left: bool = False


# After so long without `BackCheckStatus` nobody looks for newly listed vehicles. A restart, a fail-over of the broker
# and a question by many keys take less.
BACK_CHECK_GONE_AFTER: Final = timedelta(minutes=2)
# A list of a million entries takes minutes, and the shortest crossing with its waits longer than this.
BACK_CHECK_LATE_AFTER: Final = timedelta(minutes=30)
_BACK_CHECK_TAG: Final = "back_check"


class BackCheckStatus(Struct, frozen=True, kw_only=True, tag_field="type", tag=_BACK_CHECK_TAG):
    """What a back-check publishes about itself three times a minute, and when it has caught up with the lists.

    It comes on the status topic. Every vehicle that was listed up to the generation `looked_up_to` has been looked
    for among all that has passed. `records_left` counts the stored records that are left to go through for those
    listed since, and `behind_since` says since when they are looked for; null when there are none. Its silence shows
    that nobody looks.
    """

    site: Name
    at: Instant
    looked_up_to: Generation
    records_left: Annotated[int, Meta(ge=0)] = 0
    behind_since: Instant | None = None


class Loss(Struct, frozen=True, kw_only=True):
    """Reads that the broker deleted before a matcher had read them. The value of a dead letter with reason `gone`.

    They had the offsets from `first_offset` to `last_offset` in one partition of `topic`. Without a `last_offset`
    nobody knows how many there were: the partition was shorter than before, or, without a `partition`, the topic had
    been deleted and created again. They arrived after `since`, null when that is unknown, and before `until`. A
    matcher found them missing at `found_at`.
    """

    loss_id: Identifier
    site: Name
    topic: Annotated[str, Meta(max_length=249)]
    topic_id: Name = ""
    partition: int | None = None
    first_offset: int = 0
    last_offset: int | None = None
    since: Instant | None = None
    until: Instant
    found_at: Instant | None = None

    @property
    def reads(self) -> int | None:
        """How many reads were lost, None when nobody knows."""
        return None if self.last_offset is None else self.last_offset - self.first_offset + 1


class AuditHead(Struct, frozen=True, kw_only=True):
    """The end of an audit chain at some moment. It holds no personal data, so other sites keep it.

    `service` is the service that writes the chain, and `chain` the chain's id. Its record with the number `sequence`
    has this `hash`. Whoever cuts records off, or writes the chain anew, is found out by it.
    """

    site: Name
    service: Identifier
    chain: Identifier
    sequence: Annotated[int, Meta(ge=1)]
    hash: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    at: Instant


encode: Final = msgspec.json.Encoder().encode
_decode_alert_record: Final[Callable[[bytes], Alert | Correction]] = msgspec.json.Decoder(Alert | Correction).decode
_decode_action: Final = msgspec.json.Decoder(Action).decode
_decode_arrival_record: Final[Callable[[bytes], Arrival | ArrivalsWatched]] = msgspec.json.Decoder(
    Arrival | ArrivalsWatched
).decode
_decode_status: Final = msgspec.json.Decoder(Status).decode
_decode_back_check_status: Final = msgspec.json.Decoder(BackCheckStatus).decode
_decode_loss: Final = msgspec.json.Decoder(Loss).decode
_decode_audit_head: Final = msgspec.json.Decoder(AuditHead).decode


class _Tagged(Struct):
    type: Any = None


_decode_tag: Final = msgspec.json.Decoder(_Tagged).decode


def _decode_matcher_or_back_check(value: bytes) -> Status | BackCheckStatus:
    """Tell them apart by the tag of a back-check: the status of a matcher has none."""
    return _decode_back_check_status(value) if _decode_tag(value).type == _BACK_CHECK_TAG else _decode_status(value)


# The exceptions of a decoder when the bytes do not fit the contract.
Undecodable: Final = (msgspec.DecodeError, UnicodeDecodeError)
Event = TypeVar("Event", bound=Struct)


def _decode_within_bounds(decode: Callable[[bytes], Event], value: bytes) -> Event:
    """Decode a record, and refuse one beyond the bounds of the contracts. Raises one of `Undecodable`."""
    try:
        event = decode(value)
    except RecursionError:
        raise msgspec.DecodeError("it is nested too deeply") from None
    if fault := beyond_bounds(event):
        raise msgspec.ValidationError(fault)
    return event


def decode_alert_record(value: bytes) -> Alert | Correction:
    """Decode a record of an alerts topic. Raises one of `Undecodable`."""
    return _decode_within_bounds(_decode_alert_record, value)


def decode_action(value: bytes) -> Action:
    """Decode a record of an actions topic. Raises one of `Undecodable`."""
    return _decode_within_bounds(_decode_action, value)


def decode_arrival_record(value: bytes) -> Arrival | ArrivalsWatched:
    """Decode a record of an arrivals topic. Raises one of `Undecodable`."""
    return _decode_within_bounds(_decode_arrival_record, value)


def decode_status(value: bytes) -> Status:
    """Decode the status of a matcher. Raises one of `Undecodable`."""
    return _decode_within_bounds(_decode_status, value)


def decode_status_record(value: bytes) -> Status | BackCheckStatus:
    """Decode a record of a status topic: of a matcher or of a back-check. Raises one of `Undecodable`."""
    return _decode_within_bounds(_decode_matcher_or_back_check, value)


def decode_loss(value: bytes) -> Loss:
    """Decode a dead letter with reason `gone`. Raises one of `Undecodable`."""
    return _decode_within_bounds(_decode_loss, value)


def decode_audit_head(value: bytes) -> AuditHead:
    """Decode a record of an audit heads topic. Raises one of `Undecodable`."""
    return _decode_within_bounds(_decode_audit_head, value)


def schemas() -> dict[str, dict[str, Any]]:
    """Return the JSON Schema of each contract, by file name."""
    contracts = {
        "read": Read,
        "alert": Alert,
        "correction": Correction,
        "entry": Entry,
        "action": Action,
        "arrival": Arrival,
        "arrivals_watched": ArrivalsWatched,
        "entry_ended": EntryEnded,
        "status": Status,
        "back_check_status": BackCheckStatus,
        "loss": Loss,
        "audit_head": AuditHead,
    }
    return {name: msgspec.json.schema(contract) for name, contract in contracts.items()}
