"""The tables shipped with the package: facts about plates as data, each file naming its source.

They are constants that happen to be written in TOML, read once when a module that needs them is imported.
"""

import tomllib
from importlib import resources
from typing import Any


def load(name: str) -> dict[str, Any]:
    """Return the table `name` (a file of `anpr/data`, without its ending)."""
    return tomllib.loads(resources.files("anpr.data").joinpath(f"{name}.toml").read_text("utf-8"))
