"""Tokens of sites: digests where they are accepted, two at a time for a rotation, in a file of its owner alone."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from anpr.runtime.errors import InputError
from anpr.runtime.site_tokens import SiteTokensFile

NOW = datetime(2026, 11, 29, tzinfo=UTC)


@pytest.fixture
def tokens(tmp_path: Path) -> SiteTokensFile:
    return SiteTokensFile(tmp_path / "folder" / "tokens.json")


def code_of(refusal: pytest.ExceptionInfo[InputError]) -> str:
    return refusal.value.code


def test_a_token_names_its_site_at_the_site_that_made_it_and_nowhere_else(tokens: SiteTokensFile) -> None:
    token = tokens.make("dover", "calais", NOW)
    assert tokens.asking_site("calais", token) == "dover"
    assert tokens.asking_site("coquelles", token) is None
    for other in ("", token[:-1], token.replace("dover", "coquelles"), "dover.calais." + "A" * 43, "\ud800"):
        assert tokens.asking_site("calais", other) is None


def test_the_accepting_site_keeps_no_token(tokens: SiteTokensFile) -> None:
    token = tokens.make("dover", "calais", NOW)
    secret = token.rpartition(".")[2]
    assert secret not in tokens.path.read_text("utf-8")
    assert tokens.path.stat().st_mode & 0o777 == 0o600


def test_an_unknown_machine_holds_and_accepts_nothing(tokens: SiteTokensFile) -> None:
    assert tokens.asking_site("calais", "dover.calais." + "A" * 43) is None
    assert tokens.token_for("dover", "calais") is None


def test_a_token_is_rotated_without_a_moment_in_which_none_is_accepted(
    tokens: SiteTokensFile, tmp_path: Path
) -> None:
    dover = SiteTokensFile(tmp_path / "dover.json")
    old = tokens.make("dover", "calais", NOW)
    dover.hold(old)
    new = tokens.make("dover", "calais", NOW)
    assert {tokens.asking_site("calais", token) for token in (old, new)} == {"dover"}
    with pytest.raises(InputError, match="accepts two tokens") as third:
        tokens.make("dover", "calais", NOW)
    assert code_of(third) == "site-tokens-two"

    held = dover.hold(new)
    assert dover.token_for("dover", "calais") == new
    old_id = next(one.token_id for one in tokens.tokens().accepted if one.token_id != held.token_id)
    assert tokens.remove(old_id)
    assert tokens.asking_site("calais", old) is None
    assert tokens.asking_site("calais", new) == "dover"
    assert not tokens.remove(old_id), "it is gone"


def test_a_change_by_another_process_applies_at_once(tokens: SiteTokensFile) -> None:
    service = SiteTokensFile(tokens.path)
    assert service.asking_site("calais", "x") is None
    token = tokens.make("dover", "calais", NOW)
    assert service.asking_site("calais", token) == "dover"
    assert tokens.remove(tokens.tokens().accepted[0].token_id)
    assert service.asking_site("calais", token) is None


def test_a_held_token_is_of_one_pair_of_sites(tokens: SiteTokensFile) -> None:
    for answering in ("calais", "coquelles"):
        tokens.hold(tokens.make("dover", answering, NOW))
    assert tokens.token_for("dover", "calais") != tokens.token_for("dover", "coquelles")
    assert tokens.token_for("calais", "dover") is None


@pytest.mark.parametrize("text", ["", "token", "dover.calais.short", "dover.calais." + "A" * 44, "A.b." + "A" * 43])
def test_what_is_no_token_is_not_held(tokens: SiteTokensFile, text: str) -> None:
    with pytest.raises(InputError) as refused:
        tokens.hold(text)
    assert code_of(refused) == "site-token-malformed"


def test_a_file_that_others_may_read_is_refused(tokens: SiteTokensFile) -> None:
    token = tokens.make("dover", "calais", NOW)
    tokens.path.chmod(0o640)
    with pytest.raises(InputError, match="other users of this machine may read") as refused:
        tokens.asking_site("calais", token)
    assert code_of(refused) == "site-tokens-open"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"held": [{"token": "dover.calais.secret"}]}',
        b"\xff",
        b'{"held": [{"token": "dover.calais.secret\xff"}]}',
    ],
)
def test_a_file_that_is_none_of_tokens_is_refused_without_its_text(tokens: SiteTokensFile, content: bytes) -> None:
    tokens.path.parent.mkdir()
    tokens.path.write_bytes(content)
    tokens.path.chmod(0o600)
    with pytest.raises(InputError) as refused:
        tokens.tokens()
    assert code_of(refused) == "site-tokens-unusable"
    assert "secret" not in str(refused.value)
