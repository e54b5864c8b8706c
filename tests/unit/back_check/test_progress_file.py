"""What a back-check keeps to go on after it was killed."""

from pathlib import Path

import pytest

from anpr.back_check.progress_file import ProgressFile
from anpr.back_check.search import Progress
from anpr.history.database import HistoryUnavailableError
from anpr.history.sighting import Source
from tests.support.strategies import NOON, generation


def test_the_progress_comes_back_as_it_was(tmp_path: Path) -> None:
    progress = Progress().with_new(generation(1), NOON).with_new(generation(3), NOON)
    first, _ = progress.searches
    progress = progress.with_changed(first, first.with_done({Source("topic-1", 2): 7}))
    file = ProgressFile(tmp_path / "calais" / "back-check.json")
    assert file.load() == Progress()
    file.save(progress)
    assert file.load() == progress


def test_a_damaged_file_begins_again(tmp_path: Path) -> None:
    path = tmp_path / "back-check.json"
    file = ProgressFile(path)
    file.save(Progress().with_new(generation(1), NOON))
    whole = path.read_bytes()
    assert file.load() != Progress()
    for damaged in (b'{"checked":', whole.replace(b"Z", b"")):  # a moment without a zone cannot be compared
        path.write_bytes(damaged)
        assert file.load() == Progress()


def test_a_disk_that_refuses_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(HistoryUnavailableError, match=r"back-check\.json"):
        ProgressFile(tmp_path / "file" / "back-check.json").save(Progress())
