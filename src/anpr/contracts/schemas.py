"""The published contracts: write the JSON Schema of each, and the OpenAPI of the API between sites.

Nothing is written if that breaks what is published already.

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

from anpr.contracts import events, sightings_api

Schema = Mapping[str, Any]

# Texts for people. They may change freely.
_TEXTS = ("title", "description", "summary")
# Tables of schemas by name. A new version may add names.
_TABLES = ("properties", "$defs", "schemas", "paths", "responses")
_ABSENT: Any = ()  # no JSON value


def breaking_changes(published: Schema, current: Schema) -> list[str]:
    """Return every change to a published schema that is more than an addition, with its path.

    Additions are: a new optional property, a new definition, a new known value of an open enumeration
    (`x-known-values`), a default where there was none, and a different text in a title or description. Every other
    change breaks a consumer. A *tightened* or removed property breaks consumers of records that are already on a
    topic. A *loosened* one (a longer text, a wider range, a property that is no longer required) breaks consumers
    too: the ports are not updated in the same minute. A consumer with the old contract cannot decode every record of
    a producer with the new one, so an alert would be missing from its screen. If you need a wider field, add another
    field or a new version of the topic.
    """
    return list(_changes(published, current, ""))


def _changes(published: Schema, current: Schema, path: str) -> Iterator[str]:
    added_defaults = {"default"} - {*published}
    for keyword in sorted({*published, *current} - {*_TEXTS} - added_defaults):
        keyword_path = f"{path}.{keyword}" if path else keyword
        was, now = published.get(keyword, _ABSENT), current.get(keyword, _ABSENT)
        yield from _keyword_changes(keyword, was, now, keyword_path)


def _keyword_changes(keyword: str, was: Any, now: Any, path: str) -> Iterator[str]:
    if keyword in _TABLES:
        yield from _table_changes(was or {}, now or {}, path)
    elif keyword == "required" and not isinstance(was, bool):
        before, after = {*(was or ())}, {*(now or ())}
        yield from (f"{path}: {name} is required now" for name in sorted(after - before))
        yield from (f"{path}: {name} is no longer required" for name in sorted(before - after))
    elif keyword == "x-known-values" and isinstance(was, list) and isinstance(now, list):
        if [value for value in now if value in was] != was:  # their order ranks them
            yield f"{path}: {_text(was)} are not all present in their order: {_text(now)}"
    elif isinstance(was, dict) and isinstance(now, dict) and keyword != "default":
        yield from _changes(was, now, path)
    elif keyword == "anyOf" and isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
        for index, (before_schema, after_schema) in enumerate(zip(was, now, strict=True)):
            yield from _changes(before_schema, after_schema, f"{path}[{index}]")
    elif was != now:
        yield f"{path}: {_text(was)} became {_text(now)}"


def _table_changes(was: Mapping[str, Schema], now: Mapping[str, Schema], path: str) -> Iterator[str]:
    for name in sorted(was):
        if name in now:
            yield from _changes(was[name], now[name], f"{path}.{name}")
        else:
            yield f"{path}.{name}: was removed"


def _text(value: Any) -> str:
    return "nothing" if value is _ABSENT else json.dumps(value, sort_keys=True)


def current_schemas() -> dict[str, Schema]:
    """Return what is published, by file name, as plain JSON, the same on every version of Python."""
    files: dict[str, Schema] = {f"{name}.schema.json": schema for name, schema in events.schemas().items()}
    files["sightings-openapi.json"] = sightings_api.openapi()
    return {name: json.loads(json.dumps(_with_clean_texts(schema))) for name, schema in files.items()}


def _with_clean_texts(value: Any) -> Any:
    """Remove the indentation of docstrings, which only older versions of Python keep."""
    if isinstance(value, dict):
        return {
            key: inspect.cleandoc(inner)
            if key == "description" and isinstance(inner, str)
            else _with_clean_texts(inner)
            for key, inner in value.items()
        }
    return [_with_clean_texts(inner) for inner in value] if isinstance(value, list) else value


def as_text(schema: Schema) -> str:
    """Return the content of a schema's file."""
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def broken_promises(folder: Path, current: Mapping[str, Schema]) -> list[str]:
    """Return each change of the current schemas that breaks one in a folder, with its file and path."""
    broken = []
    for file in sorted(folder.glob("*.json")):
        name = file.name
        if name not in current:
            broken.append(f"{name}: the contract was removed")
            continue
        try:
            published = json.loads(file.read_text("utf-8"))
        except ValueError as error:
            broken.append(f"{name} is not JSON: {error}")
            continue
        broken += [f"{name}: {change}" for change in breaking_changes(published, current[name])]
    return broken


def publish(folder: Path, current: Mapping[str, Schema]) -> list[str]:
    """Write the current schemas into a folder. If that breaks one, write nothing and return the breaking changes."""
    broken = broken_promises(folder, current)
    if not broken:
        folder.mkdir(parents=True, exist_ok=True)
        for name, schema in current.items():
            (folder / name).write_text(as_text(schema), "utf-8", newline="\n")
    return broken


def main(arguments: list[str] | None = None) -> int:
    """Publish the contracts in the folder named on the command line. Return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m anpr.contracts.schemas", description="Write the JSON Schema of each contract."
    )
    parser.add_argument("folder", type=Path, help="the folder of the schemas, such as docs/schemas")
    broken = publish(parser.parse_args(arguments).folder, current_schemas())
    for change in broken:
        sys.stderr.write(f"{change}\n")
    if broken:
        sys.stderr.write("Nothing was written: a published contract may only be added to.\n")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
