"""The words on the pages say what a match is, and state no figure that a setting can change."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from anpr.console import labels
from anpr.contracts.events import Alert
from anpr.contracts.local_days import UTC_DAYS
from anpr.matcher.alerts import raise_alerts
from anpr.matching.index import Index
from tests.support.strategies import NOON, a_read, an_entry, generation

OFFICERS = Path(__file__).parents[3] / "docs" / "officers.md"


def test_a_late_alert_names_no_time_since_late_after_seconds_is_a_setting() -> None:
    [row] = re.findall(r"^\| `LATE` \|.*$", OFFICERS.read_text("utf-8"), re.MULTILINE)
    for text in (labels.ALERT_KIND["late"], row):
        assert "LATE" in text
        assert "may be long gone" in text
        assert not re.search(r"minute|second|\d", text), text


@pytest.mark.parametrize(
    ("listed", "country", "text", "words"),
    [
        ("B-MW 555", "DE", "B-MW 555", "Exact: the same plate"),
        ("B-MW 555", "DE", "BM-W 555", "the gap is elsewhere"),
        ("B-MW 555", "DE", "8-MW 555", "only look-alike letters differ"),
        ("B-MW 555", "DE", "D B-MW 555", "Likely: the camera read more"),
        ("MÜ-A 12", "DE", "MUE-A 12", "umlaut written in another way"),
        ("MUE-A 12", "DE", "MÜ-A 12", "umlaut written in another way"),
        ("AB12 CDE", "GB", "GB AB12 CDE", "Likely: the camera read more"),
        ("AB12 CDE", "GB", "AB12CD?", "one or two letters differ"),
        ("AB12 CDE", "GB", "AB12CDEX", "one or two letters differ"),
        ("AB12 CDE", "GB", "AB12CDEGB", "Possible: the camera read more"),
        ("AB12 CDE", "GB", "AB12CDEAB12CDE", "Possible: the camera read more"),
        ("AB12 CDE", "GB", "CDEAB12", "in another order"),
    ],
)
def test_the_words_for_a_match_say_what_differs(listed: str, country: str, text: str, words: str) -> None:
    index = Index.build([an_entry(plate=listed, country=country, tolerance="near")], generation(1))
    [alert] = raise_alerts([a_read(plate=text, confidence=0.99)], index, NOON, timedelta(minutes=1), UTC_DAYS)
    assert isinstance(alert, Alert)
    assert words in labels.certainty(alert, 0.0)
    assert labels.certainty(alert, 1.1) == labels.UNSURE
