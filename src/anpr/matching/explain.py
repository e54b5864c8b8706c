"""Why a read matched: letter by letter, in words that an officer can check against the picture."""

from anpr.events import Difference, Entry, Explanation, Read
from anpr.plates import GLYPH_PAIRS


def explain(read_plate: str, listed_plate: str, read: Read, entry: Entry) -> Explanation:
    """Explain a match of two canonical plates of one length."""
    differences = tuple(
        Difference(place=place, read=was_read, listed=listed, why=_why(was_read, listed))
        for place, (was_read, listed) in enumerate(zip(read_plate, listed_plate, strict=True), start=1)
        if was_read != listed
    )
    return Explanation(
        read_as=read_plate, listed_as=listed_plate, differences=differences, notes=tuple(_notes(read, entry))
    )


def _why(was_read: str, listed: str) -> str:
    one_glyph = GLYPH_PAIRS.get(was_read, was_read) == GLYPH_PAIRS.get(listed, listed)
    return "one glyph on many plates" if one_glyph else "read differently"


def _notes(read: Read, entry: Entry) -> list[str]:
    notes = []
    if read.country and entry.country and read.country != entry.country:
        notes.append(f"country read {read.country}, listed {entry.country}")
    if read.clock_suspect:
        notes.append("the camera's clock is not to be trusted; matched as of arrival")
    return notes
