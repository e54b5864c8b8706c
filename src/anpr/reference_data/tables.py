"""The tables that ship with the program: facts about plates as data. Each file names its source.

They are constants written in TOML. Each is read and checked once, when a module that needs it is imported.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from anpr.reference_data.table_checks import CHECKS
from anpr.runtime.errors import InputError


@cache
def load(name: str) -> Mapping[str, Any]:
    """Return the table `name`, a file of this folder without its suffix. Raises InputError for a fault in it."""
    file = resources.files("anpr.reference_data").joinpath(f"{name}.toml")
    try:
        return parse(name, file.read_text("utf-8"))
    except ValueError as fault:
        raise InputError(
            "table-unusable",
            f"{file}: {fault}",
            "correct the table; docs/matching.md says what a country's table holds",
        ) from None


def parse(name: str, text: str) -> Mapping[str, Any]:
    """Return the table `name` from its text. Raises ValueError that names the field, the value and the reason."""
    table = tomllib.loads(text)
    for fault in CHECKS[name](table):
        raise ValueError(f"{fault.field}: {fault.value!r}: {fault.reason}")
    return table
