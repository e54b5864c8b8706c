"""Every error that a person can see has a code, a next step, and a heading in docs/errors.md."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from anpr.contracts.losses import READS_LOST
from anpr.kafka.broker_errors import NEXT_STEPS
from anpr.runtime.errors import AnprError, InputError, ProgramError, UnavailableError

ROOT = Path(__file__).parents[3]
ERRORS = {kind.__name__ for kind in (AnprError, InputError, ProgramError, UnavailableError)}
# This file takes its codes from a table.
BY_TABLE = "src/anpr/kafka/broker_errors.py"


def calls(source: str) -> Iterator[ast.Call]:
    """Return every call that creates an error for a person, also in subclasses."""
    tree = ast.parse(source)
    subclasses = {
        node.name: node
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and any(isinstance(b, ast.Name) and b.id in ERRORS for b in node.bases)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ERRORS:
            yield node
    for definition in subclasses.values():
        for node in ast.walk(definition):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "super().__init__":
                yield node


def code_of(call: ast.Call) -> str | None:
    """Return the code in a call that creates an error, None when it has none."""
    first = call.args[0] if call.args else None
    is_code = isinstance(first, ast.Constant) and re.fullmatch("[a-z0-9]+(-[a-z0-9]+)+", str(first.value))
    return str(first.value) if isinstance(first, ast.Constant) and is_code else None


def sources() -> list[Path]:
    return [*(file for folder in ("src", "simulators") for file in sorted((ROOT / folder).rglob("*.py")))]


def stated_codes(source: str) -> Iterator[str]:
    """Return the codes that log lines state as text, and those with which an error overrides that of its base."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.keyword(arg="code", value=ast.Constant(code)):
                yield str(code)
            case ast.Assign(targets=[ast.Attribute(attr="code")], value=ast.Constant(code)):
                yield str(code)


def codes() -> set[str]:
    texts = [file.read_text("utf-8") for file in sources()]
    found = {code_of(call) for text in texts for call in calls(text)}
    stated = {code for text in texts for code in stated_codes(text)}
    # A loss is no error of a service: the log and the doctor state its code.
    return {code for code in found if code} | stated | {*NEXT_STEPS, READS_LOST}


def headings() -> list[str]:
    return re.findall("^### (.+)$", (ROOT / "docs/errors.md").read_text("utf-8"), re.MULTILINE)


def test_every_code_has_a_heading_and_every_heading_a_code() -> None:
    assert sorted(headings()) == sorted(codes())


def test_no_error_is_created_without_a_code() -> None:
    without = [
        f"{file.relative_to(ROOT)}:{call.lineno}"
        for file in sources()
        for call in calls(file.read_text("utf-8"))
        if code_of(call) is None and file != ROOT / BY_TABLE and file.name != "errors.py"
    ]
    assert not without


@pytest.mark.parametrize(
    "source",
    [
        'raise InputError(f"{file}: no such file", "name another")',
        "raise AnprError(message, step)",
        "return UnavailableError()",
        "class Away(UnavailableError):\n    def __init__(self, text):\n        super().__init__(text, 'wait')",
    ],
)
def test_an_error_without_a_code_is_detected(source: str) -> None:
    (call,) = calls(source)
    assert code_of(call) is None


def test_an_error_shows_what_is_wrong_what_to_do_and_where_to_read_more() -> None:
    error = UnavailableError("kafka-unavailable", "no answer", "look at it")
    assert error.lines() == ["error: no answer", "next:  look at it", "more:  docs/errors.md#kafka-unavailable"]
    assert str(error) == "no answer"
