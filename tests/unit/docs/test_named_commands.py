"""Every command that a page, an error or a comment names exists, with the options in that text."""

import importlib
import importlib.util
import re
from pathlib import Path

import click
import pytest

from anpr.cli import _anpr

ROOT = Path(__file__).parents[3]
FILES = [
    *ROOT.glob("*.md"),
    *(ROOT / "docs").rglob("*.md"),
    *(file for folder in ("src", "simulators", "benchmarks") for file in (ROOT / folder).rglob("*.py")),
]
NAMED = re.compile(r"`((?:anpr|make|python -m) [^`]+)`")
TARGETS = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)


def named() -> dict[str, str]:
    """Return each command that is named between backticks, with the first file that does."""
    return {
        " ".join(command.split()): str(file.relative_to(ROOT))
        for file in reversed(FILES)
        for command in NAMED.findall(file.read_text("utf-8"))
    }


def fault_of(command: str) -> str:
    """Return what is not there of a command, "" when all is."""
    program, *rest = command.split()
    if program == "make":
        return "" if rest[0] in TARGETS or "=" in rest[0] else f"no target {rest[0]}"
    if program == "python":
        return fault_of_module(*rest[1:])
    return fault_of_options(_anpr, rest)


def fault_of_module(module: str, *rest: str) -> str:
    spec = importlib.util.find_spec(module)
    if spec is None:
        return f"no module {module}"
    imported = importlib.import_module(f"{module}.__main__" if spec.submodule_search_locations else module)
    main = getattr(imported, "main", None)
    return fault_of_options(main, rest) if isinstance(main, click.Command) else ""


def fault_of_options(command: click.Command, rest: list[str] | tuple[str, ...]) -> str:
    context = click.Context(command)
    words = iter(rest)
    for word in words:
        if word.startswith("-") and len(word) > 1:
            name, _, value = word.partition("=")
            option = next((one for one in command.get_params(context) if name in one.opts), None)
            if option is None:
                return f"{command.name} has no {word}"
            if isinstance(option, click.Option) and not option.is_flag and not value:
                next(words, None)
        elif isinstance(command, click.Group):
            found = command.get_command(context, word)
            if found is None:
                return f"{command.name} has no {word}"
            command, context = found, click.Context(found)
    return ""


def test_every_command_that_a_text_names_exists() -> None:
    commands = named()
    assert len(commands) > 40
    faults = {f"{file}: `{command}`": fault for command, file in commands.items() if (fault := fault_of(command))}
    assert not faults


@pytest.mark.parametrize(
    "command",
    ["anpr wach", "anpr watchlist show --now", "anpr topics letters", "make tset", "python -m benchmarks.nothing"],
)
def test_a_missing_command_is_reported(command: str) -> None:
    assert fault_of(command)
