"""The published contracts: write the JSON Schema of each, unless that would break what is published already.

Not pure: it writes files.

python -m anpr.contracts.schemas docs/schemas
"""

import argparse
import inspect
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from anpr.contracts import events

Schema = Mapping[str, Any]

# Words for people. They may change as they like.
_WORDS = ("title", "description")
# Tables of schemas by name, in which a name may be added.
_TABLES = ("properties", "$defs")
_ABSENT: Any = ()  # no JSON value


def breaking_changes(published: Schema, current: Schema) -> list[str]:
    """Return what is more than an addition to a published schema, each change with its path.

    Additions are a new optional property, a new definition, a new known value of an enumeration that is open
    (`x-known-values`), a default where there was none, and other words in a title or description. Everything else
    breaks somebody. What is tightened or removed breaks who reads records already on a topic. What is *loosened* (a
    longer text, a wider range, a property that is no more required) breaks as well: the ports are not updated in
    the same minute, and a reader with the old contract cannot decode what a writer with the new one may write, so
    an alert would be lost on its screen. Whoever needs a wider field adds another, or a new version of the topic.
    """
    return list(_changes(published, current, ""))


def _changes(published: Schema, current: Schema, path: str) -> Iterator[str]:
    added_defaults = {"default"} - {*published}
    for keyword in sorted({*published, *current} - {*_WORDS} - added_defaults):
        here = f"{path}.{keyword}" if path else keyword
        was, now = published.get(keyword, _ABSENT), current.get(keyword, _ABSENT)
        yield from _keyword_changes(keyword, was, now, here)


def _keyword_changes(keyword: str, was: Any, now: Any, path: str) -> Iterator[str]:
    if keyword in _TABLES:
        yield from _table_changes(was or {}, now or {}, path)
    elif keyword == "required":
        before, after = {*(was or ())}, {*(now or ())}
        yield from (f"{path}: {name} is required now" for name in sorted(after - before))
        yield from (f"{path}: {name} is not required any more" for name in sorted(before - after))
    elif keyword == "x-known-values" and isinstance(was, list) and isinstance(now, list):
        if [value for value in now if value in was] != was:  # their order ranks them
            yield f"{path}: {_text(was)} are not all there in their order: {_text(now)}"
    elif isinstance(was, dict) and isinstance(now, dict) and keyword != "default":
        yield from _changes(was, now, path)
    elif keyword == "anyOf" and isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
        for place, (one, other) in enumerate(zip(was, now, strict=True)):
            yield from _changes(one, other, f"{path}[{place}]")
    elif was != now:
        yield f"{path}: {_text(was)} became {_text(now)}"


def _table_changes(was: Mapping[str, Schema], now: Mapping[str, Schema], path: str) -> Iterator[str]:
    for name in sorted(was):
        if name in now:
            yield from _changes(was[name], now[name], f"{path}.{name}")
        else:
            yield f"{path}.{name}: is gone"


def _text(value: Any) -> str:
    return "nothing" if value is _ABSENT else json.dumps(value, sort_keys=True)


def current_schemas() -> dict[str, Schema]:
    """Return the schema of each contract as plain JSON, the same on every version of Python."""
    return {name: json.loads(json.dumps(_with_clean_words(schema))) for name, schema in events.schemas().items()}


def _with_clean_words(value: Any) -> Any:
    """Take out the indentation of docstrings, which only older versions of Python leave in."""
    if isinstance(value, dict):
        return {
            key: inspect.cleandoc(inner)
            if key == "description" and isinstance(inner, str)
            else _with_clean_words(inner)
            for key, inner in value.items()
        }
    return [_with_clean_words(inner) for inner in value] if isinstance(value, list) else value


def as_text(schema: Schema) -> str:
    """Return a schema as it stands in its file."""
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def broken_promises(folder: Path, current: Mapping[str, Schema]) -> list[str]:
    """Return what publishing the current schemas would break in a folder, each change with its contract and path."""
    broken = []
    for file in sorted(folder.glob("*.schema.json")):
        name = file.name.removesuffix(".schema.json")
        if name not in current:
            broken.append(f"{name}: the contract is gone")
            continue
        try:
            published = json.loads(file.read_text("utf-8"))
        except ValueError as error:
            broken.append(f"{name}: {file} is no JSON: {error}")
            continue
        broken += [f"{name}: {change}" for change in breaking_changes(published, current[name])]
    return broken


def publish(folder: Path, current: Mapping[str, Schema]) -> list[str]:
    """Write the current schemas into a folder, or nothing at all and return what it would break."""
    broken = broken_promises(folder, current)
    if not broken:
        folder.mkdir(parents=True, exist_ok=True)
        for name, schema in current.items():
            (folder / f"{name}.schema.json").write_text(as_text(schema), "utf-8", newline="\n")
    return broken


def main(arguments: list[str] | None = None) -> int:
    """Publish the contracts in the folder named on the command line; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m anpr.contracts.schemas", description="Write the JSON Schema of each contract."
    )
    parser.add_argument("folder", type=Path, help="where they are published, such as docs/schemas")
    broken = publish(parser.parse_args(arguments).folder, current_schemas())
    for change in broken:
        sys.stderr.write(f"{change}\n")
    if broken:
        sys.stderr.write("Nothing was written: published contracts are only ever added to.\n")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
