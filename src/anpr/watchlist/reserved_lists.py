"""The names of lists that the system itself uses: nobody loads a file into them. Pure."""

from typing import Final

from anpr.contracts import canary, turned_away
from anpr.runtime.errors import InputError

# What changes of the calibrations have in the log in the place of a list's name.
CALIBRATION: Final = "(calibration)"
_NEXT_STEPS: Final = {
    turned_away.LIST: "to take a vehicle off it, undo the outcome on the page of its incident. To list a vehicle, "
    "use a list with another name",
    CALIBRATION: "`anpr calibration` changes calibrations. To list a vehicle, use a list with another name",
    canary.LIST: "the consoles keep the test plate on it. To list a vehicle, use a list with another name",
}


def require_own_list(list_name: str) -> str:
    """Return the name of a list that operators may change. Raises InputError for one that the system writes."""
    if list_name in _NEXT_STEPS:
        raise InputError(
            "watchlist-reserved-list",
            f"the system itself writes the list {list_name!r}: its name is reserved; nothing was changed",
            _NEXT_STEPS[list_name],
        )
    return list_name
