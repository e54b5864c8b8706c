"""A matcher hears of a new list from the kernel: its wait ends as soon as a file of the folder has been replaced."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from anpr.index_store.folder_watch import FolderWatch

# A wait that nothing ends lasts this long, and the test fails.
FOREVER_SECONDS = 60.0


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[FolderWatch]:
    made = FolderWatch(tmp_path / "index")
    yield made
    made.close()


def replace_manifest(folder: Path) -> None:
    (folder / "current.json.part").write_text("new")
    (folder / "current.json.part").rename(folder / "current.json")


def ends_early(watch: FolderWatch, after: Callable[[], None]) -> bool:
    """Tell whether a wait that has begun ends because of what comes later."""
    later = threading.Timer(0.05, after)
    later.start()
    began = time.monotonic()
    watch.wait(FOREVER_SECONDS)
    later.join()
    return time.monotonic() - began < FOREVER_SECONDS / 2


def test_a_wait_ends_when_a_file_is_replaced(watch: FolderWatch, tmp_path: Path) -> None:
    (tmp_path / "index").mkdir()
    assert ends_early(watch, lambda: replace_manifest(tmp_path / "index"))


def test_a_file_that_was_replaced_between_two_waits_ends_the_next_and_only_that(
    watch: FolderWatch, tmp_path: Path
) -> None:
    (tmp_path / "index").mkdir()
    watch.wait(0)
    replace_manifest(tmp_path / "index")
    assert ends_early(watch, lambda: None)
    began = time.monotonic()
    watch.wait(0.2)
    assert time.monotonic() - began >= 0.2


def test_a_folder_that_is_made_later_or_again_is_watched(watch: FolderWatch, tmp_path: Path) -> None:
    folder = tmp_path / "index"
    watch.wait(0)
    for _ in range(2):
        folder.mkdir()
        assert ends_early(watch, lambda: replace_manifest(folder))
        (folder / "current.json").unlink()
        folder.rmdir()
        watch.wait(0)


def test_another_thread_ends_a_wait(watch: FolderWatch) -> None:
    assert ends_early(watch, watch.wake)
