"""Scans the records of reads for what decides whether they match, and makes no object for any of them. Pure.

Nearly every read matches nothing, and needs no more than this. A read is *plain* when decoding it whole
(`anpr.reads.decoder`) is certain to give a usable read with exactly the values that the scan writes. Everything else
is not plain, however small the doubt, and has to be decoded whole: what may be no read at all, a read that replaces
another, letters beyond ASCII, a plate of which not every character was read, a camera that the site does not name.
"""

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from anpr.contracts import plates
from anpr.contracts.country_codes import is_country_code
from anpr.contracts.events import MOST_CANDIDATES
from anpr.matching.encoding.columns import Texts, for_kernels
from anpr.matching.encoding.json_scanner import (
    CLOSE_LIST,
    CLOSE_OBJECT,
    COLON,
    COMMA,
    DOUBT,
    NINE,
    OPEN_LIST,
    OPEN_OBJECT,
    ZERO,
    Bytes,
    is_mark,
    is_null,
    read_share,
    skip_mark,
    skip_null,
    skip_space,
    skip_text,
    skip_value,
)
from anpr.matching.encoding.plate_codes import UNREADABLE, WIDTH, Rows, country_codes
from anpr.matching.encoding.text_codes import LEFT_OUT, TO_CODES, align, encode_text
from anpr.matching.kernels import as_int, inlined, kernel, machine_code, step
from anpr.matching.umlauts import MOST_PAIRS

# A read with every field of the contract at its longest has fewer bytes.
MOST_BYTES: Final = 10_000
LONGEST_ID, LONGEST_TEXT, MOST_CHARS = 128, 64, 64
_MOST_TEXTS: Final = 1 + MOST_CANDIDATES
_FIELDS: Final = (
    "read_id", "site", "plate", "camera", "country", "confidence", "char_confidences", "candidates", "supersedes",
)  # fmt: skip
# Their numbers. A candidate has a plate and a confidence too.
_READ_ID, _SITE, _PLATE, _CAMERA, _COUNTRY, _CONFIDENCE, _CHARS, _CANDIDATES, _SUPERSEDES = range(len(_FIELDS))
_NEEDED: Final = 1 << _READ_ID | 1 << _SITE | 1 << _PLATE | 1 << _CAMERA
_FIRST_LETTER, _LAST_LETTER, _A, _E, _O, _U = b"AZAEOU"
_LETTERS: Final = _LAST_LETTER - _FIRST_LETTER + 1
_TO_CAPITAL: Final = 0xDF


class Names(NamedTuple):
    """Names one behind the other, where each begins and the last ends, and a hash table of their numbers.

    The table has a power of two of slots.
    """

    letters: Bytes
    begins: Rows
    slots: Rows


class KnownValues(NamedTuple):
    """What a scan compares with: the fields, the site, its cameras; countries by their two letters; marks by byte."""

    fields: Names
    sites: Names
    cameras: Names
    countries: NDArray[np.uint16]
    to_codes: Bytes
    are_padding: NDArray[np.bool_]


class ScanScratch(NamedTuple):
    """What a scan has found in a record: where its texts are, the plate first, and how sure the camera is of them.

    `pairs` and `letters` are of a text that is written in another way.
    """

    begins: Rows
    ends: Rows
    confidences: NDArray[np.float32]
    char_confidences: NDArray[np.float32]
    read: Any
    pairs: Rows
    letters: Bytes


class Scanned(NamedTuple):
    """The reads of a batch: which are plain, and the texts of those as `read_texts` would give them.

    `read_rows` has the row of the read of each text. `cameras` has by row the number of the camera of a plain read.
    `newest_rows` has by the number of a camera the row of its last plain read, NO_ROW where there is none. All are
    views of arrays that the next scan writes to.
    """

    are_plain: NDArray[np.bool_]
    cameras: Rows
    newest_rows: Rows
    texts: Texts
    read_rows: Rows


NO_ROW: Final = -1
_READ: Final = np.dtype(
    (np.record, [("camera", np.intp), ("country", np.uint16), ("texts", np.intp), ("char_confidences", np.intp)])
)


class ReadScanner:
    """Scans the reads of one site. One thread may use it."""

    def __init__(self, site: str, cameras: Sequence[str]) -> None:
        """`cameras` are the names in the order of their numbers."""
        are_padding = np.array([chr(byte) in plates.ASCII_PADDING for byte in range(256)])
        names = _names(_FIELDS), _names([site]), _names(cameras)
        self._known = for_kernels(KnownValues(*names, _numbers_of_countries(), TO_CODES, are_padding))
        self._scratch = ScanScratch(
            np.empty(_MOST_TEXTS, np.intp),
            np.empty(_MOST_TEXTS, np.intp),
            np.empty(_MOST_TEXTS, np.float32),
            np.empty(MOST_CHARS, np.float32),
            np.empty(1, _READ),
            np.empty(MOST_PAIRS, np.intp),
            np.empty(LONGEST_TEXT, np.uint8),
        )
        self._newest_rows = np.empty(len(cameras), np.intp)
        self._scan: Callable[..., int] = _scan
        self._make_room(1)

    def scan(self, values: Sequence[bytes]) -> Scanned:
        """Scan the records of a batch."""
        if len(values) > len(self._are_plain):
            self._make_room(len(values))
        are_plain, of_cameras = self._are_plain[: len(values)], self._cameras[: len(values)]
        data = np.frombuffer(b"".join(values) or b"\0", np.uint8)
        ends = np.fromiter(accumulate(map(len, values)), np.intp, len(values))
        self._newest_rows.fill(NO_ROW)
        scanned = are_plain, of_cameras, self._newest_rows, self._texts, self._read_rows
        arguments = self._known, self._scratch, *scanned
        count = self._scan(data, ends, *arguments)
        if self._scan is _scan:
            self._scan = machine_code(_scan)
        columns: list[Any] = [column[:count] for column in self._texts]
        return Scanned(are_plain, of_cameras, self._newest_rows, Texts(*columns), self._read_rows[:count])

    def _make_room(self, reads: int) -> None:
        # Of memory that nobody writes to, the system gives none.
        count = reads * (_MOST_TEXTS << MOST_PAIRS)
        self._are_plain, self._cameras = np.empty(reads, np.bool_), np.empty(reads, np.intp)
        self._read_rows = np.empty(count, np.intp)
        confidences = np.empty(count, np.float32)
        self._texts = Texts(
            np.empty((count, WIDTH), np.uint8),
            np.empty(count, np.uint8),
            np.empty(count, np.uint16),
            confidences,
            np.empty((count, WIDTH), np.float32),
            np.empty(count, np.bool_),
            confidences,
        )


def _names(names: Sequence[str]) -> Names:
    encoded = [name.encode() for name in names]
    letters = np.frombuffer(b"".join(encoded) or b"\0", np.uint8)
    begins = np.array([0, *accumulate(map(len, encoded))])
    slots = np.full(4 << len(names).bit_length(), NO_ROW)
    for number, name in enumerate(encoded):
        slot = hash_of(np.frombuffer(name or b"\0", np.uint8), 0, len(name)) % len(slots)
        while slots[slot] != NO_ROW:
            slot = (slot + 1) % len(slots)
        slots[slot] = number
    return Names(letters, begins, slots)


def _numbers_of_countries() -> NDArray[np.uint16]:
    letters = [chr(letter) for letter in range(_FIRST_LETTER, _LAST_LETTER + 1)]
    return country_codes(
        [
            code if is_country_code(code) else None
            for code in (first + second for first in letters for second in letters)
        ]
    )


def hash_of(data: Bytes, begin: int, end: int) -> int:
    """Return a hash of a name, of 24 bits."""
    value = 0
    for at in range(begin, end):
        value = (31 * value + as_int(data[at])) & 0xFFFFFF
    return value


_hash_of = step(hash_of)


@kernel
def _scan(
    data: Bytes,
    ends: Rows,
    known: KnownValues,
    scratch: ScanScratch,
    are_plain: NDArray[np.bool_],
    cameras: Rows,
    newest_rows: Rows,
    texts: Texts,
    read_rows: Rows,
) -> int:
    """Scan one record after the other, each between its own two ends. Return how many texts the plain ones have."""
    begin, count = 0, 0
    for row in range(len(ends)):
        are_plain[row] = _is_plain(data, begin, ends[row], known, scratch)
        if are_plain[row]:
            cameras[row] = scratch.read[0].camera
            newest_rows[cameras[row]] = row
            first, count = count, _write_texts(data, known.to_codes, scratch, texts, count)
            read_rows[first:count] = row
        begin = ends[row]
    return count


@inlined
def _is_plain(data: Bytes, at: int, end: int, known: KnownValues, scratch: ScanScratch) -> bool:
    """Scan a record. Return whether it is a plain read."""
    if end - at > MOST_BYTES:
        return False
    read = scratch.read[0]
    read.country, read.texts, read.char_confidences = 0, 1, 0
    scratch.confidences[0] = np.nan
    at, seen = skip_mark(data, at, end, OPEN_OBJECT), 0
    while at < end:
        at, field = _scan_key(data, at, end, known.fields)
        if field == NO_ROW:
            at = skip_value(data, at, end)
        elif seen >> field & 1:
            return False
        else:
            seen |= 1 << field
            at = _scan_field(data, at, end, field, known, scratch)
        at = skip_space(data, at, end)
        if not is_mark(data, at, end, COMMA):
            break
        at = skip_mark(data, at, end, COMMA)
    is_whole = skip_mark(data, at, end, CLOSE_OBJECT) == end and seen & _NEEDED == _NEEDED
    return is_whole and _is_plain_plate(data, scratch.begins[0], scratch.ends[0], known.to_codes)


@step
def _scan_key(data: Bytes, at: int, end: int, fields: Names) -> tuple[int, int]:
    """Step over a key, its colon, and the white space around that, and return the number of the field too."""
    behind = skip_text(data, at, end)
    return skip_mark(data, behind, end, COLON), _number_of(fields, data, at + 1, behind - 1)


@inlined
def _scan_field(data: Bytes, at: int, end: int, field: int, known: KnownValues, scratch: ScanScratch) -> int:
    """Step over the value of a field and write what it says."""
    if field == _CHARS:
        return _scan_chars(data, at, end, scratch)
    if field == _CANDIDATES:
        return _scan_candidates(data, at, end, known, scratch)
    if field == _CONFIDENCE:
        return _scan_confidence(data, at, end, scratch, 0)
    if field == _SUPERSEDES or (field == _COUNTRY and is_null(data, at, end)):
        return skip_null(data, at, end)
    begin, at = at + 1, skip_text(data, at, end)
    return at if at < DOUBT and _scan_text(data, begin, at - 1, field, known, scratch) else DOUBT


@inlined
def _scan_text(data: Bytes, begin: int, end: int, field: int, known: KnownValues, scratch: ScanScratch) -> bool:
    """Write what the text of a field says. Return whether the contract allows it."""
    read = scratch.read[0]
    if field == _PLATE:
        return _note_text_position(data, begin, end, known.are_padding, scratch, 0)
    if field == _COUNTRY:
        read.country = _country_of(data, begin, end, known.countries)
        return read.country != 0
    if field == _CAMERA:
        read.camera = _number_of(known.cameras, data, begin, end)
        return read.camera != NO_ROW
    if field == _SITE:
        return _number_of(known.sites, data, begin, end) != NO_ROW
    return 0 < end - begin <= LONGEST_ID


@step
def _country_of(data: Bytes, begin: int, end: int, countries: NDArray[np.uint16]) -> int:
    """Return the number of a country's code, 0 for any other text."""
    if end - begin != 2:
        return 0
    first, second = as_int(data[begin]) - _FIRST_LETTER, as_int(data[begin + 1]) - _FIRST_LETTER
    are_capitals = 0 <= first < _LETTERS and 0 <= second < _LETTERS
    return as_int(countries[_LETTERS * first + second]) if are_capitals else 0


@step
def _scan_confidence(data: Bytes, at: int, end: int, scratch: ScanScratch, number: int) -> int:
    """Step over the confidence of a text, which may be null."""
    if is_null(data, at, end):
        return skip_null(data, at, end)
    at, scratch.confidences[number] = read_share(data, at, end)
    return at


@inlined
def _scan_chars(data: Bytes, at: int, end: int, scratch: ScanScratch) -> int:
    """Step over the list of the confidences of the characters."""
    read = scratch.read[0]
    at = skip_mark(data, at, end, OPEN_LIST)
    while at < end and not is_mark(data, at, end, CLOSE_LIST):
        if read.char_confidences > 0:
            at = skip_mark(data, at, end, COMMA)
        if read.char_confidences == len(scratch.char_confidences):
            return DOUBT
        at, scratch.char_confidences[read.char_confidences] = read_share(data, at, end)
        at = skip_space(data, at, end)
        read.char_confidences += 1
    return at + 1 if at < end else DOUBT


@inlined
def _scan_candidates(data: Bytes, at: int, end: int, known: KnownValues, scratch: ScanScratch) -> int:
    """Step over the list of candidates."""
    read = scratch.read[0]
    at = skip_mark(data, at, end, OPEN_LIST)
    while at < end and not is_mark(data, at, end, CLOSE_LIST):
        if read.texts > 1:
            at = skip_mark(data, at, end, COMMA)
        if read.texts == len(scratch.begins):
            return DOUBT
        at = skip_space(data, _scan_candidate(data, at, end, known, scratch, read.texts), end)
        read.texts += 1
    return at + 1 if at < end else DOUBT


@inlined
def _scan_candidate(data: Bytes, at: int, end: int, known: KnownValues, scratch: ScanScratch, number: int) -> int:
    """Step over a candidate, which must have a plate and may have a confidence."""
    scratch.confidences[number] = np.nan
    at, seen = skip_mark(data, at, end, OPEN_OBJECT), 0
    while at < end:
        at, field = _scan_key(data, at, end, known.fields)
        if field in (_PLATE, _CONFIDENCE):
            if seen >> field & 1:
                return DOUBT
            seen |= 1 << field
        if field == _PLATE:
            begin, at = at + 1, skip_text(data, at, end)
            if at >= DOUBT or not _note_text_position(data, begin, at - 1, known.are_padding, scratch, number):
                return DOUBT
        elif field == _CONFIDENCE:
            at = _scan_confidence(data, at, end, scratch, number)
        else:
            at = skip_value(data, at, end)
        at = skip_space(data, at, end)
        if not is_mark(data, at, end, COMMA):
            break
        at = skip_mark(data, at, end, COMMA)
    if not is_mark(data, at, end, CLOSE_OBJECT) or seen >> _PLATE & 1 == 0:
        return DOUBT
    return at + 1


@step
def _note_text_position(
    data: Bytes, begin: int, end: int, are_padding: NDArray[np.bool_], scratch: ScanScratch, number: int
) -> bool:
    """Note where a text is. Return False for one that is too long, or that has padding."""
    for at in range(begin, end):
        if are_padding[data[at]]:
            return False
    scratch.begins[number], scratch.ends[number] = begin, end
    return end - begin <= LONGEST_TEXT


@step
def _is_plain_plate(data: Bytes, begin: int, end: int, to_codes: Bytes) -> bool:
    """Return whether all of a plate was read, and it has a digit: so it is no word that says that there is none."""
    length, digits = 0, 0
    for at in range(begin, end):
        code = to_codes[data[at]]
        if code == UNREADABLE:
            return False
        length += code != LEFT_OUT
        digits += ZERO <= data[at] <= NINE
    return digits > 0 and length <= WIDTH


@inlined
def _write_texts(data: Bytes, to_codes: Bytes, scratch: ScanScratch, texts: Texts, row: int) -> int:
    """Write the texts of the read that was scanned last, then those with other umlauts; return where they end."""
    read = scratch.read[0]
    for number in range(read.texts):
        text = data[scratch.begins[number] : scratch.ends[number]]
        char_count = read.char_confidences if number == 0 else 0
        _write_text(to_codes, text, scratch, number, char_count, texts, row)
        row += 1
    for number in range(read.texts):
        text = data[scratch.begins[number] : scratch.ends[number]]
        count = _pairs_in(text, scratch.pairs)
        for dropped in range(1, 1 << count):
            length = _write_otherwise(text, scratch.pairs[:count], dropped, scratch.letters)
            _write_text(to_codes, scratch.letters[:length], scratch, number, 0, texts, row)
            row += 1
    return row


@step
def _write_text(
    to_codes: Bytes, text: Bytes, scratch: ScanScratch, number: int, char_count: int, texts: Texts, row: int
) -> None:
    length = encode_text(to_codes, text, texts.codes[row])
    texts.lengths[row] = length
    texts.countries[row] = scratch.read[0].country
    texts.confidences[row] = scratch.confidences[number]
    texts.are_candidates[row] = number > 0
    align(to_codes, text, scratch.char_confidences[:char_count], length, texts.char_confidences[row])


@step
def _pairs_in(text: Bytes, pairs: Rows) -> int:
    """Write where the second letters of the pairs are that may stand for umlauts, as `umlauts` finds them."""
    count, at = 0, 1
    while at < len(text) and count < len(pairs):
        before, letter = as_int(text[at - 1]) & _TO_CAPITAL, as_int(text[at]) & _TO_CAPITAL
        if (letter == _E and before in (_A, _O, _U)) or (letter == _A and before == _A):
            pairs[count] = at
            count += 1
            at += 1
        at += 1
    return count


@step
def _write_otherwise(text: Bytes, pairs: Rows, dropped: int, letters: Bytes) -> int:
    """Write a text without the second letters of some pairs: a bit of `dropped` for each, the last in the lowest."""
    length, number = 0, 0
    for at in range(len(text)):
        is_pair = number < len(pairs) and pairs[number] == at
        if is_pair:
            number += 1
        if not is_pair or dropped >> (len(pairs) - number) & 1 == 0:
            letters[length] = text[at]
            length += 1
    return length


@step
def _number_of(names: Names, data: Bytes, begin: int, end: int) -> int:
    """Return the number of a name, NO_ROW for another name."""
    if end > len(data):
        return NO_ROW
    last_slot = len(names.slots) - 1
    slot = _hash_of(data, begin, end) & last_slot
    while names.slots[slot] != NO_ROW:
        number = names.slots[slot]
        if _is_same(names.letters, names.begins[number], names.begins[number + 1], data, begin, end):
            return number
        slot = (slot + 1) & last_slot
    return NO_ROW


@step
def _is_same(letters: Bytes, first: int, last: int, data: Bytes, begin: int, end: int) -> bool:
    if last - first != end - begin:
        return False
    for at in range(end - begin):
        if letters[first + at] != data[begin + at]:
            return False
    return True
