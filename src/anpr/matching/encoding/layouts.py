"""The layout of one text: which of its characters are letters and which are digits, as a number."""

from anpr.matching.encoding.plate_codes import FIRST_LETTER, NO_LAYOUT, Codes
from anpr.matching.kernels import step
from anpr.reference_data.limits import LONGEST_LAYOUT


@step
def layout_of(codes: Codes, length: int) -> int:
    """Return the number of a text's layout, as `PlateCodes.layouts` does for many."""
    if length == 0 or length > LONGEST_LAYOUT:
        return NO_LAYOUT
    layout = 1 << length
    for at in range(length):
        layout |= (codes[at] >= FIRST_LETTER) << at
    return layout
