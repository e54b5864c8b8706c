"""What services keep on disk is for their user alone, whatever the umask; the doctor finds what is not."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from anpr.doctor.machine_checks import check_folder
from anpr.gateway.spool import Spool
from anpr.index_store.folder import IndexFolder
from anpr.matching.index import Index
from anpr.runtime.images import ImageStore
from tests.support.strategies import NOON, an_entry, generation


@pytest.fixture(autouse=True)
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def modes(folder: Path) -> set[tuple[str, int]]:
    """Return the modes of a folder, of the folders in it, and of its files."""
    paths = [folder, *folder.rglob("*")]
    return {("folder" if path.is_dir() else "file", path.stat().st_mode & 0o777) for path in paths}


def readable(folder: Path) -> list[str]:
    """Return what the doctor says of files that others may read."""
    findings = check_folder("state_dir", folder, min_free_bytes=1)
    return [str(finding) for finding in findings if "other users" in str(finding)]


PRIVATE = {("folder", 0o700), ("file", 0o600)}


def test_an_index_is_private_and_so_is_one_of_an_earlier_version_once_its_builder_starts(tmp_path: Path) -> None:
    folder = IndexFolder(tmp_path / "state" / "index")
    lock = folder.lock()
    index = Index.build([an_entry(handling="covert")], generation(1))
    folder.write_snapshot(index, NOON)
    assert lock is not None
    lock.close()
    assert modes(tmp_path / "state") == PRIVATE
    assert not readable(tmp_path)
    folder.path.chmod(0o755)
    for file in folder.path.iterdir():
        file.chmod(0o644)
    folder.path.parent.chmod(0o755)
    tmp_path.chmod(0o755)
    assert len(readable(tmp_path)) == 1
    again = folder.lock()
    assert again is not None
    again.close()
    assert modes(folder.path) == PRIVATE
    assert not readable(tmp_path)


def test_a_spool_is_private_with_all_its_files(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "state" / "spool" / "calais")
    spool.append([("camera-1", b"a read")])
    assert modes(tmp_path / "state") == PRIVATE
    spool.recreate()
    spool.append([("camera-1", b"a read")])
    assert modes(tmp_path / "state") == PRIVATE
    spool.close()


def test_images_are_private(tmp_path: Path) -> None:
    ImageStore(tmp_path / "state" / "images", timedelta(hours=1)).put("calais", NOON, b"a picture")
    assert modes(tmp_path / "state") == PRIVATE


def test_the_doctor_names_an_empty_folder_that_others_may_read(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    images = tmp_path / "images"
    images.mkdir(mode=0o755)
    images.chmod(0o755)
    assert [str(images) in said for said in readable(tmp_path)] == [True]
    images.chmod(0o700)
    assert not readable(tmp_path)
