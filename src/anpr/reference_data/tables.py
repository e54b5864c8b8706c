"""The tables shipped with the package: facts about plates as data, each file naming its source.

They are constants that happen to be written in TOML, read once when a module that needs them is imported.
"""

import tomllib
from importlib import resources
from typing import Any

from anpr.reference_data.table_checks import CHECKS
from anpr.runtime.errors import InputError


def load(name: str) -> dict[str, Any]:
    """Return the table `name` (a file of this folder, without its ending). Raises InputError for a fault in it."""
    file = resources.files("anpr.reference_data").joinpath(f"{name}.toml")
    try:
        table = parsed(name, file.read_text("utf-8"))
    except ValueError as wrong:
        raise InputError(
            "table-unusable", f"{file}: {wrong}", "put it right; docs/matching.md says what a country's table holds"
        ) from None
    return table


def parsed(name: str, text: str) -> dict[str, Any]:
    """Return a table of that name as its text has it. Raises ValueError, which names field, value and reason."""
    table = tomllib.loads(text)
    for slip in CHECKS[name](table):
        raise ValueError(f"{slip.field}: {slip.value!r}: {slip.reason}")
    return table
