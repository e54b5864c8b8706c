from datetime import UTC, datetime

import pytest
from msgspec import Raw

from anpr.reads.claimed_time import claimed_in, claimed_instant, claimed_text


@pytest.mark.parametrize("digits", [0, 3, 43, 44, 45, 60])
def test_a_time_is_kept_alike_whether_the_rest_of_its_record_is_good_or_not(digits: int) -> None:
    written = f"2026-03-01T12:00:00{'.' * bool(digits)}{'1' * digits}Z"
    kept = claimed_text(Raw(f'"{written}"'.encode()))
    assert claimed_in(f'{{"captured_at": "{written}"}}'.encode()) == kept
    assert len(kept) <= 64
    assert (kept == written) == (len(written) <= 64)


def test_an_escaped_letter_is_the_letter() -> None:
    assert claimed_in(rb'{"captured_at": "2026-03-01\u005412:00:00Z"}') == "2026-03-01T12:00:00Z"


@pytest.mark.parametrize(
    ("claimed_at", "moment"),
    [
        ("2026-03-01T13:00:00+01:00", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("9999-12-31T23:59:59Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("2026-03-01T12:00:00", None),
        ("1772366398", None),
        ("", None),
        ("sha256:0", None),
    ],
)
def test_a_claimed_time_is_a_moment_when_it_can_be_read(claimed_at: str, moment: datetime | None) -> None:
    assert claimed_instant(claimed_at) == moment
