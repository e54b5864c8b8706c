"""The folders are the architecture: what may import what, and which modules are pure."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SOURCE = ROOT / "src"
PACKAGE = SOURCE / "anpr"
# A row of the table in docs/architecture.md: the room, what it is for, what it may import.
ROW = re.compile(r"^\| \[?`([a-z_]+)/?`(?:\]\([^)]*\))? \|[^|]*\| ([^|]*) \|$", re.MULTILINE)

# What a pure module may import from outside of this package.
PERMITTED = {
    "abc",
    "array",
    "bisect",
    "collections",
    "collections.abc",
    "copy",
    "dataclasses",
    "datetime",
    "difflib",
    "enum",
    "functools",
    "hashlib",
    "heapq",
    "html",
    "itertools",
    "math",
    "operator",
    "re",
    "statistics",
    "string",
    "struct",
    "types",
    "typing",
    "unicodedata",
    "zlib",
    "zoneinfo",
    "msgspec",
    "msgspec.inspect",
    "msgspec.structs",
    "numpy",
    "numpy.typing",
    "rich.console",
    "rich.panel",
    "rich.table",
    "rich.text",
}
# Reference data are constants that happen to be written in files of this package.
PERMITTED_IN_REFERENCE_DATA = {"importlib", "importlib.resources", "tomllib"}
# A path is a value until somebody opens it.
PERMITTED_IN_SETTINGS = {"pathlib"}
IMPURE_NAMES = {"open", "print", "input", "exec", "eval", "compile", "__import__", "breakpoint"}
IMPURE_METHODS = {"now", "utcnow", "today", "open", "write_text", "write_bytes", "read_text", "read_bytes"}


@cache
def modules() -> dict[str, Path]:
    return {_module(file): file for file in PACKAGE.rglob("*.py")}


def _module(file: Path) -> str:
    parts = file.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room(module: str) -> str:
    """Return the folder under `src/anpr`, or the loose file, that a module belongs to; "" for the package itself."""
    return module.split(".")[1] if "." in module else ""


def imported(node: ast.AST, known: set[str]) -> Iterator[str]:
    """Name the modules that a node imports. `from anpr.contracts import plates` imports anpr.contracts.plates."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = "." * node.level + (node.module or "")
        for alias in node.names:
            name = f"{base}.{alias.name}"
            yield name if name in known or base in {"importlib", "anpr"} else base


def arrows() -> dict[str, set[str]]:
    """Return, by room, the rooms that it imports."""
    known = modules()
    found: dict[str, set[str]] = {}
    for module, file in known.items():
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            targets = {room(name) for name in imported(node, set(known)) if name.split(".")[0] == "anpr"}
            if room(module):
                found.setdefault(room(module), set()).update(targets - {room(module), ""})
    return found


def stated() -> dict[str, set[str]]:
    """Return, by room, the rooms that docs/architecture.md says it may import."""
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    return {name: set(re.findall("`([a-z_]+)`", may)) for name, may in ROW.findall(text)}


def test_each_room_imports_what_the_page_on_architecture_says_and_nothing_else() -> None:
    found, table = arrows(), stated()
    loose = {name for name in found if not (PACKAGE / name).is_dir()}
    assert set(table) == set(found) - loose, "docs/architecture.md has a row for each folder"
    assert {name: sorted(found[name]) for name in table} == {name: sorted(table[name]) for name in table}


def test_the_files_that_the_page_on_architecture_names_exist() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    named = set(re.findall(r"`(?:src/anpr/)?([a-z_]+(?:/[a-z_]+)*(?:\.[a-z]+|/))`", text))
    missing = [name for name in sorted(named) if not any((top / name).exists() for top in (PACKAGE, ROOT))]
    assert len(named) > 40
    assert not missing, "docs/architecture.md names files that are gone"


def test_no_room_imports_one_that_imports_it() -> None:
    left = dict(arrows())
    while left:
        lowest = [name for name, targets in left.items() if not targets & left.keys()]
        assert lowest, f"these import each other in a circle: {sorted(left)}"
        for name in lowest:
            del left[name]


def test_the_package_imports_no_folder_beside_it() -> None:
    for module, file in modules().items():
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            beside = [n for n in imported(node, set()) if n.split(".")[0] in {"simulators", "benchmarks", "tests"}]
            assert not beside, f"{module} imports {beside}"


@cache
def pure_modules() -> dict[str, Path]:
    """Return the modules that say of themselves, or whose folder says, that they are pure."""
    return {module: file for module, file in modules().items() if _says_pure(file)}


def _says_pure(file: Path) -> bool:
    folders = [file.parent, *file.parent.parents]
    packages = [folder / "__init__.py" for folder in folders[: folders.index(PACKAGE)]]
    docstrings = [_docstring(one) for one in (file, *packages)]
    return any("Pure." in docstring for docstring in docstrings) and "Not pure:" not in docstrings[0]


@cache
def _docstring(file: Path) -> str:
    return ast.get_docstring(ast.parse(file.read_text("utf-8"))) or ""


def impurities(module: str, source: str, pure: set[str]) -> list[str]:
    """Return what a module does that a pure one must not, given the names of the pure modules of this package."""
    is_data = module.startswith("anpr.reference_data")
    is_settings = module == "anpr.runtime.settings"
    permitted = PERMITTED | (
        PERMITTED_IN_REFERENCE_DATA if is_data else PERMITTED_IN_SETTINGS if is_settings else set()
    )
    methods = IMPURE_METHODS - ({"read_text"} if is_data else set())
    found = []
    for node in ast.walk(ast.parse(source)):
        names = imported(node, set(modules()) | pure)
        found += [f"imports {name}" for name in names if name not in permitted | pure]
        if isinstance(node, ast.Call):
            found += [f"calls {name}" for name in _impure_call(node.func, methods)]
    return found


def _impure_call(function: ast.expr, methods: set[str]) -> Iterator[str]:
    if isinstance(function, ast.Name) and function.id in IMPURE_NAMES:
        yield function.id
    if isinstance(function, ast.Attribute):
        of_time = isinstance(function.value, ast.Name) and function.value.id == "time"
        if function.attr in methods or of_time:
            yield ast.unparse(function)


def test_the_core_is_pure() -> None:
    pure = set(pure_modules())
    assert pure >= {"anpr.contracts.events", "anpr.contracts.plates", "anpr.reads.decoder", "anpr.matching.index"}
    assert pure >= {"anpr.board.board", "anpr.board.incident", "anpr.board.journeys", "anpr.matcher.alerts"}
    assert pure >= {"anpr.console.actions.rules", "anpr.console.board.triage", "anpr.console.board.change_stream"}


# Each module imports only pure ones, so all that it reaches within the package is pure too.
@pytest.mark.parametrize("module", sorted(pure_modules()))
def test_a_pure_module_does_no_input_or_output_and_reads_no_clock(module: str) -> None:
    pure = pure_modules()
    assert impurities(module, pure[module].read_text("utf-8"), set(pure)) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import socket", "imports socket"),
        ("import os.path", "imports os.path"),
        ("import time", "imports time"),
        ("from time import sleep", "imports time"),
        ("from pathlib import Path", "imports pathlib"),
        ("import redis", "imports redis"),
        ("from confluent_kafka import Consumer", "imports confluent_kafka"),
        ("from anpr.runtime import clock", "imports anpr.runtime.clock"),
        ("from anpr.matcher import matcher", "imports anpr.matcher.matcher"),
        ("from anpr.kafka.producer import anything", "imports anpr.kafka.producer"),
        ("from . import clock", "imports ."),
        ("import tomllib", "imports tomllib"),
        ("def late():\n    import subprocess", "imports subprocess"),
        ("if True:\n    from importlib import import_module", "imports importlib.import_module"),
        ("open('list.csv')", "calls open"),
        ("from datetime import UTC, datetime\ndatetime.now(UTC)", "calls datetime.now"),
        ("import datetime\ndatetime.datetime.utcnow()", "calls datetime.datetime.utcnow"),
        ("from datetime import date\ndate.today()", "calls date.today"),
        ("time.monotonic()", "calls time.monotonic"),
        ("def show(read):\n    print(read)", "calls print"),
        ("def show(path):\n    path.write_text('')", "calls path.write_text"),
        ("__import__('socket')", "calls __import__"),
    ],
)
def test_a_module_that_is_not_pure_is_reported(source: str, found: str) -> None:
    [first, *_] = impurities("anpr.board.board", source, set(pure_modules()))
    assert first.startswith(found)


@pytest.mark.parametrize(
    "source",
    [
        "from anpr.contracts import plates\nfrom anpr.contracts.events import Read\nfrom anpr.matching import index",
        "import msgspec\nfrom collections.abc import Callable\nfrom datetime import datetime",
        "def later(now, timer): return now - timer.start",
    ],
)
def test_a_pure_module_is_not_reported(source: str) -> None:
    assert impurities("anpr.board.board", source, set(pure_modules())) == []
