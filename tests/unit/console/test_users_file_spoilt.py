"""A users file that cannot be read is an error that names it; a service that runs goes on with the users it has."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from anpr.console.auth.users_file import User, UsersFile
from anpr.runtime.errors import InputError

ANN, BOB = User(name="ann", role="officer", sites=("calais",)), User(name="bob", role="officer")
SPOILT = [b"\xff\xfe", b"{", b"[" * 100_000, b'["\\ud800"]', b'[{"name": "ann", "role": "king"}]', b"\0" * 10, b""]


@pytest.mark.parametrize("content", SPOILT)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "users.json"
    path.write_bytes(content)
    for call in (lambda: UsersFile(path).users(), lambda: UsersFile(path).save(BOB)):
        with pytest.raises(InputError, match=r"users\.json") as error:
            call()
        assert error.value.code == "users-file-unusable"
    assert path.read_bytes() == content, "and it stays as it is"


@pytest.mark.parametrize("content", SPOILT)
def test_a_service_goes_on_with_the_users_that_it_has_and_says_so_once(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "users.json"
    UsersFile(path).save(ANN)
    running = UsersFile(path)
    assert set(running.users()) == {"ann"}
    path.write_bytes(content)
    with capture_logs() as lines:
        for _ in range(3):
            assert set(running.users()) == {"ann"}
    assert [line["code"] for line in lines] == ["users-file-unusable"]
    path.unlink()
    UsersFile(path).save(BOB)
    assert set(running.users()) == {"bob"}
