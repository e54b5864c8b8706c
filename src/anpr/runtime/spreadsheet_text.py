"""Texts in a CSV file that no spreadsheet runs. Pure.

A spreadsheet takes a cell that begins with `=`, `+`, `-`, `@` or a tab for a formula. An apostrophe in front marks
the cell as text; the spreadsheet hides it.
"""

import re
from typing import Final

# The wide forms count too: some spreadsheets treat them as the narrow ones.
FORMULA: Final = re.compile("'*[=+\\-@\t\r＝＋－＠]")  # noqa: RUF001  the wide forms are meant


def as_cell(text: str) -> str:
    """Return the text so that no spreadsheet runs it."""
    return f"'{text}" if FORMULA.match(text) else text
