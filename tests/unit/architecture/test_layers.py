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
    "threading",  # for arrays that each thread has for itself
    "types",
    "typing",
    "unicodedata",
    "zlib",
    "zoneinfo",
    "ahocorasick",
    "msgspec",
    "msgspec.inspect",
    "msgspec.structs",
    "numpy",
    "numpy.typing",
    "rich.console",
    "rich.panel",
    "rich.table",
    "rich.text",
    "anpr.matching.kernels",  # marks what is compiled; where the machine code is kept changes no answer
}
# Reference data are constants that happen to be written in files of this package.
PERMITTED_IN_REFERENCE_DATA = {"importlib", "importlib.resources", "tomllib"}
# A path is a value until somebody opens it.
PERMITTED_IN_SETTINGS = {"pathlib"}
# What a permitted module offers all the same: chance, files, a terminal.
IMPURE_MEMBERS = {
    "numpy": {
        *("random", "load", "loadtxt", "genfromtxt", "fromfile", "fromregex", "memmap"),
        *("save", "savetxt", "savez", "savez_compressed"),
    },
    "rich.console": {"Console"},
    "threading": {"Thread", "Timer"},
    "ahocorasick": {"load"},  # it runs the code that the file holds
}
IMPURE_NAMES = {"open", "print", "input", "exec", "eval", "compile", "__import__", "breakpoint", "Console"}
IMPURE_ATTRIBUTES = {"open", "write_text", "write_bytes", "read_text", "read_bytes", "tofile", "Console"}
# A record may have a field of this name. It is a clock when it is called, or when it belongs to a type of datetime.
CLOCKS = {"now", "utcnow", "today"}


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


@cache
def arrows() -> dict[str, set[str]]:
    """Return, by room, the rooms that it imports."""
    known = set(modules())
    found: dict[str, set[str]] = {}
    for module, file in modules().items():
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            targets = {room(name) for name in imported(node, known) if name.split(".")[0] == "anpr"}
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
    attributes = IMPURE_ATTRIBUTES - ({"read_text"} if is_data else set())
    tree = ast.parse(source)
    origins = _origins(tree)
    # A generator of random numbers is handed in: only its type is named.
    types = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == "Generator"
    }
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    found = []
    for node in ast.walk(tree):
        names = [*imported(node, set(modules()) | pure), *_impure_members(node)]
        found += [f"imports {name}" for name in names if name not in permitted | pure]
        is_clock = isinstance(node, ast.Attribute) and _is_clock(node, origins, is_called=id(node) in called)
        if id(node) not in types and (is_clock or _is_impure(node, origins, attributes)):
            found.append(f"uses {ast.unparse(node)}")
    return found


def _origins(tree: ast.AST) -> dict[str, str]:
    """Return what each imported name stands for: np for numpy, moment for datetime.datetime."""
    nodes = list(ast.walk(tree))
    whole = {a.asname or a.name: a.name for node in nodes if isinstance(node, ast.Import) for a in node.names}
    parts = [(a, node.module) for node in nodes if isinstance(node, ast.ImportFrom) for a in node.names]
    return whole | {alias.asname or alias.name: f"{module}.{alias.name}" for alias, module in parts}


def _impure_members(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.ImportFrom):
        impure = IMPURE_MEMBERS.get(node.module or "", set())
        yield from (f"{node.module}.{alias.name}" for alias in node.names if alias.name in impure)


def _is_impure(node: ast.AST, origins: dict[str, str], attributes: set[str]) -> bool:
    """Tell whether a node names something impure, called or not: a name for it could be called later."""
    if isinstance(node, ast.Name):
        return node.id in IMPURE_NAMES
    if not isinstance(node, ast.Attribute):
        return False
    owner = ast.unparse(node.value)
    return node.attr in attributes | IMPURE_MEMBERS.get(origins.get(owner, owner), set()) or owner == "time"


def _is_clock(node: ast.Attribute, origins: dict[str, str], *, is_called: bool) -> bool:
    owner = ast.unparse(node.value)
    is_of_datetime = origins.get(owner, owner).split(".")[-1] in {"datetime", "date"}
    return node.attr in CLOCKS and (is_called or is_of_datetime)


@pytest.mark.parametrize("module", sorted(modules()))
def test_a_module_that_calls_itself_pure_is_checked(module: str) -> None:
    docstring = _docstring(modules()[module])
    assert not re.search(r"\bPure\b", docstring) or "Pure." in docstring, 'write "Pure.", then the tests check it'


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
        ("open('list.csv')", "uses open"),
        ("from datetime import UTC, datetime\ndatetime.now(UTC)", "uses datetime.now"),
        ("import datetime\ndatetime.datetime.utcnow()", "uses datetime.datetime.utcnow"),
        ("from datetime import date\ndate.today()", "uses date.today"),
        ("time.monotonic()", "uses time.monotonic"),
        ("def show(read):\n    print(read)", "uses print"),
        ("def show(path):\n    path.write_text('')", "uses path.write_text"),
        ("__import__('socket')", "uses __import__"),
        ("from datetime import datetime\nnow = datetime.now\nnow()", "uses datetime.now"),
        ("from datetime import datetime as moment\nnow = moment.now", "uses moment.now"),
        ("import datetime\ndays = map(datetime.date.today)", "uses datetime.date.today"),
        ("f = open\nf('list.csv')", "uses open"),
        ("def lines(path):\n    return map(path.read_text, ())", "uses path.read_text"),
        ("import numpy as np\nnp.random.default_rng().random()", "uses np.random"),
        ("import numpy\nshuffle = numpy.random.shuffle", "uses numpy.random"),
        ("import numpy as np\nnp.load('index.npy')", "uses np.load"),
        ("import numpy as np\nnp.fromfile('index')", "uses np.fromfile"),
        ("import numpy as np\nnp.save('index.npy', rows)", "uses np.save"),
        ("import numpy as np\nnp.savez('index.npz', rows)", "uses np.savez"),
        ("import numpy as np\nwrite = np.savez_compressed", "uses np.savez_compressed"),
        ("from numpy import load as rows_of", "imports numpy.load"),
        ("from numpy import random", "imports numpy.random"),
        ("import ahocorasick\nwords = ahocorasick.load('words', bytes)", "uses ahocorasick.load"),
        ("def keep(rows):\n    rows.tofile('index')", "uses rows.tofile"),
        ("from rich.console import Console\nConsole().print('x')", "imports rich.console.Console"),
        ("import rich.console\nrich.console.Console().print('x')", "uses rich.console.Console"),
        ("Console().print('x')", "uses Console"),
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
        "def later(status): return status.now",
        "import numpy as np\ndef draw(random: np.random.Generator): return random.random()",
        "from rich.console import Group\nimport numpy as np\nrows = np.frombuffer(b'')",
    ],
)
def test_a_pure_module_is_not_reported(source: str) -> None:
    assert impurities("anpr.board.board", source, set(pure_modules())) == []
