"""One process at a time holds a file, and lets it go when it ends."""

import os
from pathlib import Path

import pytest

from anpr.runtime.file_lock import hold, is_held


def test_a_file_is_held_until_it_is_closed_and_by_one_process_alone(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not is_held(path), "it does not exist"
    for _ in range(2):
        with os.fdopen(hold(path), "wb"):
            assert is_held(path)
            with pytest.raises(BlockingIOError):
                hold(path)
            assert is_held(path), "another one that tried does not end it"
        assert not is_held(path)
    assert path.stat().st_mode & 0o777 == 0o600
