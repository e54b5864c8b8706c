import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from anpr.contracts.schemas import as_text, breaking_changes, current_schemas, main, publish

PUBLISHED = Path(__file__).parents[3] / "docs" / "schemas"

# A contract with each keyword that a contract may have.
CONTRACT: dict[str, Any] = {
    "$ref": "#/$defs/Read",
    "$defs": {
        "Read": {
            "title": "Read",
            "description": "One observation.",
            "type": "object",
            "properties": {
                "type": {"enum": ["read", "reading"]},
                "read_id": {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[^ ]*$"},
                "lane": {"anyOf": [{"type": "string", "maxLength": 64}, {"type": "null"}], "default": None},
                "camera": {"type": "string", "default": ""},
                "score": {"type": "number", "minimum": 0, "maximum": 1},
                "at": {"type": "string", "format": "date-time"},
                "tiers": {"type": "array", "items": {"type": "string", "x-known-values": ["a", "b"]}, "maxItems": 4},
                "cameras": {"type": "object", "additionalProperties": {"type": "string", "format": "date-time"}},
                "vehicle": {"$ref": "#/$defs/Vehicle"},
            },
            "required": ["type", "read_id"],
        },
        "Vehicle": {"type": "object", "properties": {"make": {"type": "string"}}, "required": []},
    },
}
READ = ("$defs", "Read")
PROPERTIES = (*READ, "properties")


def changed(path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    """Return the contract with another value at a path; without it when the value is `...`."""
    contract = deepcopy(CONTRACT)
    inner: Any = contract
    for step in path[:-1]:
        inner = inner[step]
    if value is ...:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return contract


@pytest.mark.parametrize("name", sorted(current_schemas()))
def test_the_published_schema_is_up_to_date(name: str) -> None:
    published = (PUBLISHED / name).read_text("utf-8")
    assert published == as_text(current_schemas()[name]), "run make schemas"


@pytest.mark.parametrize("file", sorted(PUBLISHED.glob("*.json")), ids=lambda file: file.name)
def test_nothing_published_has_been_broken(file: Path) -> None:
    current = current_schemas()
    assert file.name in current
    assert breaking_changes(json.loads(file.read_text("utf-8")), current[file.name]) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ((*PROPERTIES, "new"), {"type": "string", "maxLength": 5, "default": ""}),
        (("$defs", "New"), {"type": "object", "required": ["x"]}),
        ((*PROPERTIES, "tiers", "items", "x-known-values"), ["a", "between", "b", "c"]),
        ((*PROPERTIES, "score", "default"), 0.5),
        ((*READ, "description"), "What a camera saw."),
        ((*READ, "title"), "Sighting"),
        ((*READ, "description"), ...),
        ((*READ, "required"), ["read_id", "type"]),
    ],
)
def test_an_addition_is_allowed(path: tuple[str | int, ...], value: Any) -> None:
    assert breaking_changes(CONTRACT, changed(path, value)) == []


@pytest.mark.parametrize(
    ("path", "value", "change"),
    [
        # removed
        ((*PROPERTIES, "camera"), ..., "$defs.Read.properties.camera: was removed"),
        (("$defs", "Vehicle"), ..., "$defs.Vehicle: was removed"),
        (("$defs", "Vehicle", "properties"), {}, "$defs.Vehicle.properties.make: was removed"),
        # a different type
        (
            (*PROPERTIES, "score", "type"),
            "integer",
            '$defs.Read.properties.score.type: "number" became "integer"',
        ),
        ((*PROPERTIES, "camera", "type"), ["string", "null"], "$defs.Read.properties.camera.type"),
        ((*PROPERTIES, "vehicle", "$ref"), "#/$defs/Car", "$defs.Read.properties.vehicle.$ref"),
        ((*PROPERTIES, "at", "format"), "date", "$defs.Read.properties.at.format"),
        ((*PROPERTIES, "at", "format"), ..., '$defs.Read.properties.at.format: "date-time" became nothing'),
        ((*PROPERTIES, "lane", "anyOf"), [{"type": "string", "maxLength": 64}], "$defs.Read.properties.lane.anyOf"),
        (("$ref",), "#/$defs/Vehicle", "$ref"),
        # tightened
        (
            (*PROPERTIES, "read_id", "maxLength"),
            64,
            "$defs.Read.properties.read_id.maxLength: 128 became 64",
        ),
        ((*PROPERTIES, "camera", "maxLength"), 64, "$defs.Read.properties.camera.maxLength: nothing became 64"),
        ((*PROPERTIES, "lane", "anyOf", 0, "maxLength"), 32, "$defs.Read.properties.lane.anyOf[0].maxLength"),
        ((*PROPERTIES, "read_id", "minLength"), 2, "$defs.Read.properties.read_id.minLength"),
        ((*PROPERTIES, "score", "minimum"), 0.1, "$defs.Read.properties.score.minimum"),
        ((*PROPERTIES, "score", "maximum"), 0.9, "$defs.Read.properties.score.maximum"),
        ((*PROPERTIES, "tiers", "maxItems"), 3, "$defs.Read.properties.tiers.maxItems"),
        ((*PROPERTIES, "read_id", "pattern"), "^[a-z]*$", "$defs.Read.properties.read_id.pattern"),
        ((*PROPERTIES, "type", "enum"), ["read"], "$defs.Read.properties.type.enum"),
        ((*PROPERTIES, "tiers", "items", "type"), "integer", "$defs.Read.properties.tiers.items.type"),
        (
            (*PROPERTIES, "cameras", "additionalProperties", "format"),
            "date",
            "$defs.Read.properties.cameras.additionalProperties.format",
        ),
        ((*READ, "additionalProperties"), False, "$defs.Read.additionalProperties: nothing became false"),
        ((*READ, "required"), ["type", "read_id", "at"], "$defs.Read.required: at is required now"),
        (("$defs", "Vehicle", "required"), ["make"], "$defs.Vehicle.required: make is required now"),
        # loosened: a port with the old version could not decode every record of an updated one
        ((*PROPERTIES, "read_id", "maxLength"), 256, "$defs.Read.properties.read_id.maxLength"),
        ((*PROPERTIES, "read_id", "maxLength"), ..., "$defs.Read.properties.read_id.maxLength"),
        ((*PROPERTIES, "type", "enum"), ["read", "reading", "other"], "$defs.Read.properties.type.enum"),
        ((*READ, "required"), ["type"], "$defs.Read.required: read_id is no longer required"),
        # a different meaning
        ((*PROPERTIES, "lane", "default"), "1", "$defs.Read.properties.lane.default: null became"),
        ((*PROPERTIES, "camera", "default"), "none", "$defs.Read.properties.camera.default"),
        ((*PROPERTIES, "camera", "default"), ..., "$defs.Read.properties.camera.default"),
        (
            (*PROPERTIES, "tiers", "items", "x-known-values"),
            ["a"],
            "$defs.Read.properties.tiers.items.x-known-values",
        ),
        ((*PROPERTIES, "tiers", "items", "x-known-values"), ["b", "a"], "$defs.Read.properties.tiers.items"),
    ],
)
def test_every_change_that_is_more_than_an_addition_is_named_with_its_path(
    path: tuple[str | int, ...], value: Any, change: str
) -> None:
    [named] = breaking_changes(CONTRACT, changed(path, value))
    assert named.startswith(change)


def _paths(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Return the path of everything in a contract except the texts for people."""
    items: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        items = [(key, inner) for key, inner in value.items() if key not in {"title", "description"}]
    elif isinstance(value, list):
        items = list(enumerate(value))
    return [deeper for key, inner in items for deeper in ((*path, key), *_paths(inner, (*path, key)))]


# An empty list means the same as no list.
says_something = [path for path in _paths(CONTRACT) if path != ("$defs", "Vehicle", "required")]


@pytest.mark.parametrize("path", says_something, ids=str)
def test_no_part_of_a_contract_can_be_removed(path: tuple[str | int, ...]) -> None:
    assert breaking_changes(CONTRACT, changed(path, ...))


def test_the_api_between_sites_gains_routes_answers_and_fields_and_loses_none() -> None:
    published = current_schemas()["sightings-openapi.json"]
    fewer = deepcopy(published)
    del fewer["paths"]["/v1/openapi.json"]
    del fewer["paths"]["/v1/sightings"]["post"]["responses"]["429"]
    del fewer["components"]["schemas"]["SightingsAnswer"]["properties"]["is_whole"]
    assert breaking_changes(fewer, published) == []
    assert len(breaking_changes(published, fewer)) == 3
    looser = deepcopy(published)
    looser["paths"]["/v1/sightings"]["post"]["requestBody"]["required"] = False
    assert len(breaking_changes(published, looser)) == 1


def test_schemas_are_written_once_and_stay_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "docs" / "schemas"
    assert main([str(folder)]) == 0
    written = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert set(written) == set(current_schemas())
    assert all(text.endswith(b"}\n") for text in written.values())
    assert main([str(folder)]) == 0
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == written


def test_a_change_that_breaks_is_refused_by_name_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path)]) == 0
    alert, entry = tmp_path / "alert.schema.json", tmp_path / "entry.schema.json"
    alert.write_text(alert.read_text("utf-8").replace('"maxLength": 512', '"maxLength": 9999'), "utf-8")
    entry.write_text(entry.read_text("utf-8").replace("on a watchlist", "on a list"), "utf-8")
    (tmp_path / "rumour.schema.json").write_text("{}", "utf-8")
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}

    assert main([str(tmp_path)]) == 1
    printed = capsys.readouterr().err
    assert "alert.schema.json: $defs.Read.properties.image.anyOf[0].maxLength: 9999 became 512" in printed
    assert "rumour.schema.json: the contract was removed" in printed
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_a_published_file_that_is_no_schema_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "read.schema.json").write_text("<<<<<<< HEAD", "utf-8")
    [fault] = publish(tmp_path, current_schemas())
    assert fault.startswith("read.schema.json ")
    assert (tmp_path / "read.schema.json").read_text("utf-8") == "<<<<<<< HEAD"
