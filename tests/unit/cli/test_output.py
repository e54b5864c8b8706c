"""A person at a terminal reads whole words, however narrow the terminal is."""

import pytest

from anpr.cli.output import print_table

WHY = "turned away at another port, and listed here until tomorrow"
CHANGE = ("2026-11-30 18:18", "turned_away", "list keeper", "turned-away", 24, "+12 ~0 -0", WHY)
COLUMNS = ("at (UTC)", "list", "who", "how", "entries", "change", "why")


@pytest.mark.parametrize("columns", [80, 200])
def test_a_long_text_keeps_its_words_and_its_line_stays_in_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    print_table(COLUMNS, [CHANGE, (*CHANGE[:-1], "")], wrapped="why")
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= columns
    assert WHY in " ".join(" ".join(lines).split())
    assert len(lines) == (4 if columns == 80 else 3), "nothing stands below a row without a text"
