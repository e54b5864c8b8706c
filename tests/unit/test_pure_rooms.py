"""The pure rooms do no I/O and read no clock: their answers depend on what they are given, and on nothing else."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"
ROOMS = (
    "canary",
    "plates",
    "events",
    "intake",
    "alerts",
    "incidents",
    "board",
    "journeys",
    "matching/*",
    "tables",
    "table_checks",
    "errors",
    "__init__",
)
PERMITTED = {
    "abc",
    "array",
    "bisect",
    "collections",
    "collections.abc",
    "copy",
    "dataclasses",
    "datetime",
    "enum",
    "functools",
    "hashlib",
    "heapq",
    "itertools",
    "math",
    "operator",
    "re",
    "string",
    "struct",
    "types",
    "typing",
    "unicodedata",
    "zlib",
    "msgspec",
    "msgspec.structs",
    "numpy",
    "numpy.typing",
}
# The tables shipped with the package are constants that happen to be written in TOML.
PERMITTED_IN_TABLES = {"importlib", "importlib.resources", "tomllib"}
IMPURE_NAMES = {"open", "print", "input", "exec", "eval", "compile", "__import__", "breakpoint"}
IMPURE_METHODS = {"now", "utcnow", "today", "open", "write_text", "write_bytes", "read_text", "read_bytes"}


def pure_modules() -> dict[str, Path]:
    files = [file for room in ROOMS for file in (SOURCE / "anpr").glob(f"{room}.py")]
    return {_module(file): file for file in files}


def _module(file: Path) -> str:
    parts = file.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def impurities(module: str, source: str, pure: set[str]) -> list[str]:
    """Return what a module does that a pure one must not, given the names of the pure modules of this package."""
    of_tables = module == "anpr.tables"
    permitted = PERMITTED | (PERMITTED_IN_TABLES if of_tables else set())
    methods = IMPURE_METHODS - ({"read_text"} if of_tables else set())
    found = []
    for node in ast.walk(ast.parse(source)):
        found += [f"imports {name}" for name in _imported(node, pure) if name not in permitted | pure]
        if isinstance(node, ast.Call):
            found += [f"calls {name}" for name in _impure_call(node.func, methods)]
    return found


def _imported(node: ast.AST, pure: set[str]) -> Iterator[str]:
    """Name the modules that a node imports. `from anpr import plates` imports anpr.plates."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = "." * node.level + (node.module or "")
        in_package = base.split(".")[0] == "anpr"
        for alias in node.names:
            name = f"{base}.{alias.name}"
            is_module = name in pure or (in_package and _is_module(name))
            yield name if is_module or base in {"importlib", "anpr"} else base


def _is_module(name: str) -> bool:
    path = SOURCE.joinpath(*name.split("."))
    return path.with_suffix(".py").exists() or path.is_dir()


def _impure_call(function: ast.expr, methods: set[str]) -> Iterator[str]:
    if isinstance(function, ast.Name) and function.id in IMPURE_NAMES:
        yield function.id
    if isinstance(function, ast.Attribute):
        of_time = isinstance(function.value, ast.Name) and function.value.id == "time"
        if function.attr in methods or of_time:
            yield ast.unparse(function)


def test_the_pure_rooms_are_where_this_test_looks() -> None:
    looked_at = set(pure_modules())
    assert looked_at >= {"anpr.plates", "anpr.events", "anpr.intake", "anpr.alerts", "anpr.incidents", "anpr.board"}
    assert looked_at >= {"anpr.matching", "anpr.matching.index", "anpr.matching.explain"}


# Each module imports only pure ones, so all that it reaches within the package is pure too.
@pytest.mark.parametrize("module", sorted(pure_modules()))
def test_a_pure_room_does_no_input_or_output_and_reads_no_clock(module: str) -> None:
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
        ("from anpr import clock", "imports anpr.clock"),
        ("from anpr.services import match", "imports anpr.services"),
        ("from anpr.adapters.kafka import anything", "imports anpr.adapters.kafka"),
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
def test_a_room_that_is_not_pure_is_found_out(source: str, found: str) -> None:
    [first, *_] = impurities("anpr.board", source, set(pure_modules()))
    assert first.startswith(found)


@pytest.mark.parametrize(
    "source",
    [
        "from anpr import plates, tables\nfrom anpr.events import Read\nfrom anpr.matching.index import Index",
        "import msgspec\nfrom collections.abc import Callable\nfrom datetime import datetime",
        "def later(now, timer): return now - timer.start",
    ],
)
def test_a_pure_room_is_let_through(source: str) -> None:
    assert impurities("anpr.board", source, set(pure_modules())) == []
