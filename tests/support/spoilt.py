"""Records that are spoilt: their moments and numbers are at or beyond the ends of what can be written."""

from typing import Any

from hypothesis import strategies as st

MOMENTS = (
    "9999-12-31T23:59:59.999Z",
    "9999-12-31T23:59:59-14:00",
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "2199-12-31T23:59:59.999Z",
    "1970-01-01T00:00:00Z",
    "2026-03-01T12:00:01Z",
    "2026-02-26T12:00:00+14:00",
)
NUMBERS = (-(10**300), -(2**63), -1, 0, 2**63 - 1, 2**64, 10**300)


@st.composite
def spoilt(draw: st.DrawFn, value: Any) -> Any:
    """Return JSON in which some moments and numbers are at or beyond the ends of what can be written."""
    if isinstance(value, dict):
        return {name: draw(spoilt(member)) for name, member in value.items()}
    if isinstance(value, list):
        return [draw(spoilt(member)) for member in value]
    is_moment = isinstance(value, str) and value[10:11] == "T" and value[4:5] == "-"
    if is_moment and draw(st.booleans()):
        return draw(st.sampled_from(MOMENTS))
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if is_number and not draw(st.integers(0, 4)):
        return draw(st.sampled_from(NUMBERS))
    return value
