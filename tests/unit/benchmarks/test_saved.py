"""What a run has measured is kept with all that explains it, and nothing that names the machine."""

import json
import platform
import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from benchmarks import saved
from benchmarks.__main__ import main


def test_a_run_is_kept_with_its_date_machine_and_versions(tmp_path: Path) -> None:
    result = saved.measured(lambda: click.echo('{"a": 1}'), {"reads": 5}, is_quick=False)
    path = saved.write("any", result, tmp_path)
    kept = saved.read("any", tmp_path)
    assert kept == json.loads(json.dumps(result))
    assert kept is not None
    assert (kept["figures"], kept["options"]["reads"], kept["is_quick"]) == ({"a": 1}, 5, False)
    assert {"python", "kafka", "numba", "aiokafka", "bytewax", "quixstreams"} <= set(kept["versions"])
    assert kept["machine"]["cores"] >= 1
    assert path.read_text(encoding="utf-8").endswith("}\n")


def test_nothing_is_kept_of_a_benchmark_that_never_ran(tmp_path: Path) -> None:
    assert saved.read("any", tmp_path) is None


def test_several_json_values_are_all_kept() -> None:
    assert saved.documents('{"a": 1}\n{"a": 2}\n') == [{"a": 1}, {"a": 2}]
    with pytest.raises(ValueError, match="Expecting value"):
        saved.documents('{"a": 1} in 3 ms')


def test_a_run_that_is_refused_keeps_nothing() -> None:
    before = sorted(saved.FOLDER.glob("*.json"))
    assert CliRunner().invoke(main, ["lookup", "--save", "--entries", "0"]).exit_code == 2
    assert sorted(saved.FOLDER.glob("*.json")) == before


def test_what_is_published_is_no_trial_run_and_names_no_machine() -> None:
    for file in saved.FOLDER.glob("*.json"):
        text = file.read_text(encoding="utf-8")
        assert not json.loads(text)["is_quick"], file.name
        assert not re.search(rf"\b{re.escape(platform.node())}\b", text), f"{file.name} names this machine"
        assert "/" not in text, f"{file.name} holds a path"
