"""Decodes only what matching needs of a read, a fifth of the work of decoding it whole. Pure.

Nearly every read matches nothing, and needs no more than this. A record is plain when decoding it whole would give a
usable read with exactly these values. Everything else is not plain, however small the doubt, and has to be decoded
whole (`anpr.reads.decoder`): what cannot be decoded, a read that replaces another, letters beyond ASCII.
"""

from collections.abc import Callable
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Raw, Struct

from anpr.contracts.country_codes import is_country_code
from anpr.contracts.events import MOST_CANDIDATES, Candidate, Name, PlateText, Share, Undecodable
from anpr.contracts.plates import MAX_CANONICAL_LENGTH
from anpr.reads.decoder import MAX_READ_BYTES

_NULL: Final = Raw(b"null")


class PlainRead(Struct, frozen=True, kw_only=True):
    """The fields of a read that decide whether it may match, as the whole read has them.

    `Read` checks its identifiers and its country by regular expressions, which take most of its time. `plain_read`
    checks the same in another way.
    """

    read_id: Annotated[str, Meta(min_length=1, max_length=128)]
    site: str
    plate: PlateText
    camera: Name = ""
    country: str | None = None
    confidence: Share | None = None
    char_confidences: Annotated[tuple[Share, ...], Meta(max_length=64)] = ()
    candidates: Annotated[tuple[Candidate, ...], Meta(max_length=MOST_CANDIDATES)] = ()
    supersedes: Raw = _NULL

    @property
    def dropped_fields(self) -> tuple[str, ...]:
        """None of these fields has been dropped."""
        return ()


_decode: Final[Callable[[bytes], PlainRead]] = msgspec.json.Decoder(PlainRead).decode


def plain_read(value: bytes | None, site: str) -> PlainRead | None:
    """Return the read of a record of `site`'s reads topic, None where it has to be decoded whole."""
    if value is None or len(value) > MAX_READ_BYTES or not value.isascii():
        return None
    try:
        read = _decode(value)
    except (*Undecodable, RecursionError):
        return None
    is_plain = (
        read.site == site
        and _is_plain_plate(read.plate)
        and "\0" not in read.read_id
        and (read.country is None or is_country_code(read.country))
        and read.supersedes == _NULL
    )
    return read if is_plain else None


def _is_plain_plate(plate: str) -> bool:
    """Return whether a text has letters and digits alone, a digit among them: so it is no word, and all was read."""
    return plate.isascii() and plate.isalnum() and not plate.isalpha() and len(plate) <= MAX_CANONICAL_LENGTH
