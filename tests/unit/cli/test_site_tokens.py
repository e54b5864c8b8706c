"""The command that keeps the tokens by which sites know each other."""

from pathlib import Path

from click.testing import CliRunner

from anpr.cli import _anpr
from anpr.runtime.errors import InputError
from tests.unit.cli.test_vehicle import SITES


def test_a_token_of_a_site_that_is_not_configured_is_not_held(tmp_path: Path) -> None:
    (tmp_path / "sites.toml").write_text(SITES, "utf-8")
    (tmp_path / "anpr.toml").write_text(f"[history]\ntokens_file = '{tmp_path / 'tokens.json'}'\n", "utf-8")
    for asking, answering in (("dover", "harwich"), ("harwich", "dover")):
        token = f"{asking}.{answering}.{'A' * 43}"
        held = CliRunner().invoke(_anpr, ["--config", str(tmp_path), "site-tokens", "hold"], input=f"{token}\n")
        assert isinstance(held.exception, InputError)
        assert held.exception.code == "site-unknown"
        assert "harwich" in str(held.exception)
        assert "A" * 43 not in str(held.exception)
    listed = CliRunner().invoke(_anpr, ["--config", str(tmp_path), "site-tokens", "list"])
    assert (listed.exit_code, listed.stdout) == (0, "")
