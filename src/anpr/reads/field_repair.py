"""Reads the fields of a record that do not fit the contract, as far as they can mean only one thing. Pure."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import Raw
from msgspec.structs import fields

from anpr.contracts.country_codes import country_code
from anpr.contracts.events import MOST_CANDIDATES, Candidate, PlateText, Undecodable, Vehicle
from anpr.reads.confidences import as_share, is_in_percent

_decode_items: Final[Callable[[bytes], list[Raw]]] = msgspec.json.Decoder(list[Raw]).decode
_decode_parts: Final[Callable[[bytes], dict[str, Raw]]] = msgspec.json.Decoder(dict[str, Raw]).decode
_CONFIDENCE_FIELDS: Final = frozenset({"confidence", "char_confidences", "candidates"})
_MOST_CHARACTERS: Final = 64
# Many cameras number these. A number can mean only the text of its digits.
_NAMES: Final = ("read_id", "camera", "lane", "pass_id", "supersedes")
_WHOLE_NUMBER: Final = re.compile(rb"-?[0-9]{1,64}")
_PAIR: Final = ("plate", "confidence")
_NOTHING: Final = object()


class Repaired(NamedTuple):
    """What is left of a field, None for nothing, and whether nothing of it was dropped."""

    value: Any
    is_whole: bool


class FieldRepair:
    """The record whose fields are repaired: whether its confidences are percentages depends on all of them."""

    def __init__(self, record: Mapping[str, Raw], unusable_reason: Callable[[str], str]) -> None:
        """`unusable_reason` returns why a text cannot be matched as a plate, "" when it can."""
        self._record = record
        self._unusable_reason = unusable_reason
        self._candidates = [_parts_of_candidate(item) for item in _items(record.get("candidates"))]
        self._repairs: Mapping[str, Callable[[Raw], Repaired]] = {
            "confidence": self._confidence,
            "char_confidences": self._char_confidences,
            "candidates": self._repaired_candidates,
            "country": _country,
            "vehicle": _vehicle,
            "plate": _plate,
            **dict.fromkeys(_NAMES, _name),
        }
        self._is_percent = is_in_percent(self._confidences())

    def is_needed(self, name: str) -> bool:
        """Return whether a field says something else than it seems to: 1 in a record in percent is one per cent."""
        return self._is_percent and name in _CONFIDENCE_FIELDS

    def repaired(self, name: str) -> Repaired:
        """Return what is left of a field of the record that does not fit the contract, or that needs the repair."""
        repair = self._repairs.get(name)
        return repair(self._record[name]) if repair else Repaired(None, is_whole=False)

    def _confidences(self) -> Iterator[object]:
        """Yield every confidence of the record, whatever it is."""
        if "confidence" in self._record:
            yield _value(self._record["confidence"])
        yield from map(_value, _items(self._record.get("char_confidences")))
        yield from (_value(parts["confidence"]) for parts in self._candidates if "confidence" in parts)

    def _share(self, confidence: Raw) -> float | None:
        return as_share(_value(confidence), is_percent=self._is_percent)

    def _confidence(self, confidence: Raw) -> Repaired:
        share = self._share(confidence)
        return Repaired(share, share is not None)

    def _char_confidences(self, confidences: Raw) -> Repaired:
        """Return the confidences of all characters or of none: each belongs to the character at its position."""
        shares = [share for share in map(self._share, _items(confidences)) if share is not None]
        is_whole = 0 < len(shares) == len(_items(confidences)) <= _MOST_CHARACTERS
        return Repaired(tuple(shares) if is_whole else None, is_whole)

    def _repaired_candidates(self, _: Raw) -> Repaired:
        """Return the candidates with a usable plate. A bad confidence costs a candidate only the confidence."""
        candidates: list[Candidate] = []
        is_whole = True
        for parts in self._candidates:
            plate = _plate(parts["plate"]).value if "plate" in parts else None
            confidence = self._share(parts["confidence"]) if "confidence" in parts else None
            if "confidence" in parts and confidence is None and _value(parts["confidence"]) is not None:
                is_whole = False
            if plate is None or self._unusable_reason(plate):
                is_whole = False
            else:
                candidates.append(Candidate(plate=plate, confidence=confidence))
        is_whole = is_whole and 0 < len(candidates) <= MOST_CANDIDATES
        return Repaired(tuple(candidates[:MOST_CANDIDATES]), is_whole)


def _parts_of_candidate(item: Raw) -> Mapping[str, Raw]:
    """Return the fields of a candidate. A bare text is its plate, a list of two its plate and confidence."""
    if _value(item, str) is not _NOTHING:
        return {"plate": item}
    pair = _value(item, list[Raw])
    if pair is not _NOTHING:
        return dict(zip(_PAIR, pair, strict=True)) if len(pair) == len(_PAIR) else {}
    parts: Any = _value(item, dict[str, Raw])
    return {} if parts is _NOTHING else parts


def _items(array: Raw | None) -> list[Raw]:
    """Return the items of an array; a single value counts as an array of it."""
    if array is None:
        return []
    try:
        return _decode_items(array)
    except (*Undecodable, RecursionError):
        return [array]


def _value(raw: Raw | None, kind: Any = Any) -> Any:
    """Return the value that was sent; an object that is nothing else when it is not of this kind or no JSON."""
    if raw is None:
        return _NOTHING
    try:
        return msgspec.json.decode(raw, type=kind)
    except (*Undecodable, RecursionError):
        return _NOTHING


def _plate(raw: Raw) -> Repaired:
    """Return a plate of which some bytes are not UTF-8: each is a character that was not read."""
    plate = _value(Raw(bytes(raw).decode("utf-8", "replace").encode()), PlateText)
    return Repaired(None if plate is _NOTHING else plate, plate is not _NOTHING)


def _name(raw: Raw) -> Repaired:
    """Return a whole number as the text of its digits."""
    written = bytes(raw)
    is_whole = _WHOLE_NUMBER.fullmatch(written) is not None
    return Repaired(written.decode() if is_whole else None, is_whole)


def _country(raw: Raw) -> Repaired:
    text = _value(raw, str)
    country = None if text is _NOTHING else country_code(text)
    return Repaired(country, country is not None)


def _vehicle(raw: Raw) -> Repaired:
    """Return the vehicle without its bad fields."""
    parts = _value(raw, dict[str, Raw])
    if parts is _NOTHING:
        return Repaired(None, is_whole=False)
    values = {field.name: _value(parts.get(field.encode_name), field.type) for field in fields(Vehicle)}
    kept = {name: value for name, value in values.items() if value is not _NOTHING}
    return Repaired(Vehicle(**kept) if kept else None, is_whole=False)
