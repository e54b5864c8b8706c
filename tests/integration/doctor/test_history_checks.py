"""The doctor asks each history as a look-up would, and names what a look-up would miss."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from anpr.contracts.sightings_api import OPENAPI_PATH
from anpr.doctor.findings import Finding
from anpr.doctor.history_checks import check
from anpr.runtime.clock import system_clock
from anpr.runtime.settings import Settings
from anpr.runtime.site_tokens import SiteTokensFile
from tests.support.sites import Certificates, certificates, exchange_tokens, served, sites

SITE = "calais"


def history_that_accepts(settings: Settings) -> Starlette:
    """Return a history that accepts the tokens in the file of these settings."""

    async def describe(request: Request) -> Response:
        token = request.headers["Authorization"].removeprefix("Bearer ")
        is_accepted = SiteTokensFile(settings.tokens_file).asking_site(SITE, token)
        return Response("{}", 200 if is_accepted else 401)

    return Starlette(routes=[Route(OPENAPI_PATH, describe)])


def findings(settings: Settings) -> list[Finding]:
    return list(check(settings, SITE, system_clock))


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates(tmp_path_factory.mktemp("tls"))


def examined(folder: Path, shown: Certificates, remove: str = "") -> list[Finding]:
    """Return what the doctor finds of a history that shows this certificate, and has removed a token."""
    with served(history_that_accepts(sites(folder, {SITE: ""})), shown) as address:
        settings = sites(folder, {SITE: address}, shown.authority)
        exchange_tokens(settings, "dover", SITE)
        exchange_tokens(settings, SITE, SITE)
        tokens = SiteTokensFile(settings.tokens_file)
        for one in tokens.tokens().accepted:
            if one.asking == remove:
                settings.tokens_file.write_bytes(
                    settings.tokens_file.read_bytes().replace(one.digest.encode(), b"0" * 64)
                )
        return findings(settings)


def test_each_token_that_is_held_is_tried(tmp_path: Path, tls: Certificates) -> None:
    assert [(one.state, one.message) for one in examined(tmp_path, tls)] == [
        ("well", "answers, and accepts the token of dover"),
        ("well", "answers, and accepts the token of calais"),
    ]


def test_a_token_that_was_removed_is_named(tmp_path: Path, tls: Certificates) -> None:
    removed, _ = examined(tmp_path, tls, remove="dover")
    assert removed.state == "wrong"
    assert removed.message.startswith("does not accept this site's token")
    assert removed.message.endswith("(asked by dover)")


def test_a_certificate_that_ends_soon_is_named(tmp_path: Path) -> None:
    def ending(within: timedelta) -> Certificates:
        return certificates(tmp_path / str(within), not_after=datetime.now() + within)  # noqa: DTZ005  trustme wants it

    soon = examined(tmp_path / "1", ending(timedelta(days=8)))
    assert [one.state for one in soon] == ["well", "wrong"] * 2
    assert soon[1].message in {"its certificate ends in 8 days", "its certificate ends in 7 days"}
    assert [one.state for one in examined(tmp_path / "2", ending(timedelta(days=60)))] == ["well"] * 2


def test_a_site_without_an_address_and_a_machine_without_a_token_are_worth_a_note(tmp_path: Path) -> None:
    (no_address,) = findings(sites(tmp_path, {SITE: ""}))
    (no_token,) = findings(sites(tmp_path, {SITE: "https://127.0.0.1:1"}))
    assert (no_address.state, no_token.state) == ("note", "note")
    assert "look-ups leave the site out" in no_address.message
    assert "holds no token" in no_token.message


def test_a_history_that_is_down_and_a_file_that_cannot_be_used_are_wrong(tmp_path: Path) -> None:
    settings = sites(tmp_path, {SITE: "https://127.0.0.1:1"})
    exchange_tokens(settings, "dover", SITE)
    (down,) = findings(settings)
    assert (down.state, down.message) == (
        "wrong",
        "refuses the connection; its history service may be stopped (asked by dover)",
    )
    settings.tokens_file.chmod(0o644)
    (open_file,) = findings(settings)
    assert (open_file.state, open_file.code) == ("wrong", "site-tokens-open")
