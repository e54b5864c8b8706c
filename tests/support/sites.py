"""Sites that ask each other, for tests: certificates of an authority made for the run, tokens, and servers to ask."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import trustme
import uvicorn
from msgspec.structs import replace
from starlette.types import ASGIApp

from anpr.contracts.events import Explanation
from anpr.contracts.look_up import FoundSighting, LookUp
from anpr.local.processes import wait_until
from anpr.runtime.settings import HistorySettings, Settings, Site
from anpr.runtime.site_tokens import SiteTokensFile
from tests.support.history import EVENING
from tests.support.strategies import a_read

# Tests share a machine with each other: no test fails because an answer took long.
PATIENT_SECONDS = 60


@dataclass(frozen=True)
class Certificates:
    """PEM files: an authority, and a certificate of 127.0.0.1 that it signed, with its key."""

    authority: Path
    certificate: Path
    key: Path


def certificates(folder: Path, host: str = "127.0.0.1", **issued: Any) -> Certificates:
    """Write an authority of its own and a certificate of `host` into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    authority, made = trustme.CA(), Certificates(folder / "ca.pem", folder / "site.pem", folder / "site.key")
    certificate = authority.issue_cert(host, **issued)
    authority.cert_pem.write_to_path(made.authority)
    certificate.private_key_pem.write_to_path(made.key)
    for number, blob in enumerate(certificate.cert_chain_pems):
        blob.write_to_path(made.certificate, append=number > 0)
    return made


def sites(folder: Path, addresses: dict[str, str], authority: Path | None = None, **history: Any) -> Settings:
    """Return settings of these sites, with the addresses of their histories, and tokens in `folder`."""
    given: dict[str, Any] = {
        "tokens_file": str(folder / "tokens.json"),
        "answer_within_seconds": PATIENT_SECONDS,
    } | history
    return Settings(
        sites={
            name: Site(title=name.title(), kafka="x", redis="x", history=address)
            for name, address in addresses.items()
        },
        history=HistorySettings(authority=str(authority or ""), folder=str(folder / "history"), **given),
    )


def exchange_tokens(settings: Settings, asking: str, *answering: str) -> None:
    """Let `asking` ask these sites, on one machine that has all of them."""
    tokens = SiteTokensFile(settings.tokens_file)
    for site in answering:
        tokens.hold(tokens.make(asking, site, datetime(2026, 11, 29, tzinfo=UTC)))


def a_look_up(plate: str = "AB12CDE", **given: Any) -> LookUp:
    """Return a look-up of the days around `EVENING` by an officer of Dover."""
    asked = LookUp(
        plate=plate,
        since=EVENING.replace(day=1),
        until=EVENING.replace(day=30),
        reason="seen leaving the lane",
        user="ann",
        role="officer",
        asking_site="dover",
    )
    return replace(asked, **given)


@contextmanager
def served(application: ASGIApp, shown: Certificates | None = None) -> Iterator[str]:
    """Serve an application on this machine, over TLS where it has a certificate, and yield its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        application,
        lifespan="off",
        log_config=None,
        timeout_graceful_shutdown=1,
        ssl_certfile=shown.certificate if shown else None,
        ssl_keyfile=shown.key if shown else None,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        assert wait_until(lambda: server.started or not thread.is_alive(), 60)
        yield f"http{'' if shown is None else 's'}://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def a_sighting(site: str, plate: str = "AB12CDE", **fields: Any) -> FoundSighting:
    """Return a sighting of a plate at a site, as its history answers it."""
    return FoundSighting(
        site=site,
        read=a_read(site=site, plate=plate),
        arrived_at=EVENING,
        tier="exact",
        probability=1.0,
        explanation=Explanation(read_as=plate, listed_as=plate),
        **fields,
    )
