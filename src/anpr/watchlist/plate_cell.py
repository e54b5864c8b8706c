"""The plate cell of a list file: what is no plate is refused by name. Pure."""

from typing import Final

from anpr.contracts import plates
from anpr.watchlist.csv_cells import InvalidCellError

_MAY_BE_WRITTEN: Final = (
    "write spaces, hyphens or dots between the groups, ? for one unknown character, * for any number of them"
)


def refuse_what_is_not_understood(text: str) -> None:
    """Raise InvalidCellError for a text with a character that is no letter, digit, separator or wildcard."""
    # If it were left out, plates that differ only in it would become one.
    marks = plates.not_understood(text)
    if not marks:
        return
    if plates.has_mojibake(text):
        raise InvalidCellError(
            text, f"{marks[:8]!r} is not in any plate: the file was decoded wrongly before; export it again as UTF-8"
        )
    if letters := plates.unknown_letters(text):
        raise InvalidCellError(text, f"no Latin letter is known for {letters[:8]!r}: use Latin letters")
    raise InvalidCellError(text, f"{marks[:8]!r} separates nothing on a plate: {_MAY_BE_WRITTEN}")
