"""The words on the pages state no figure that a setting can change."""

import re
from pathlib import Path

from anpr.console import labels

OFFICERS = Path(__file__).parents[3] / "docs" / "officers.md"


def test_a_late_alert_names_no_time_since_late_after_seconds_is_a_setting() -> None:
    [row] = re.findall(r"^\| `LATE` \|.*$", OFFICERS.read_text("utf-8"), re.MULTILINE)
    for text in (labels.ALERT_KIND["late"], row):
        assert "LATE" in text
        assert "may be long gone" in text
        assert not re.search(r"minute|second|\d", text), text
