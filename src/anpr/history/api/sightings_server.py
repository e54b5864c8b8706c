"""Serves the API from a thread of its own, so that the recorder goes on undisturbed."""

import ssl
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, Self

import uvicorn

from anpr.history.api.answering import Answering, AuditAppender, FindsVehicles
from anpr.history.api.application import SightingsApi
from anpr.history.api.rate_limits import RateLimits
from anpr.history.api.refusals import Refusals
from anpr.runtime.errors import InputError
from anpr.runtime.http_connections import BoundedListener, ConnectionTable, bounded_server_config
from anpr.runtime.listening import check_certificate, listen
from anpr.runtime.logs import get_logger
from anpr.runtime.settings import Settings
from anpr.runtime.site_tokens import SiteTokensFile

log = get_logger(__name__)

# Each may hold an answer of some megabytes and a connection to the store.
LOOK_UPS_AT_ONCE: Final = 8
_MOST_CONNECTIONS: Final = 100
_STOP_SECONDS: Final = 5


class SightingsServer:
    """The API of one site. A `with` block starts and stops it; what is being answered then is answered first."""

    def __init__(  # noqa: PLR0913  where it listens, and what it answers with
        self,
        settings: Settings,
        site: str,
        search: FindsVehicles,
        audit: AuditAppender,
        *,
        host: str | None = None,
        port: int | None = None,
    ) -> None:
        """Listen at the site's address, or at `host` and `port` in its place.

        Raises InputError for an https address without a usable certificate, UnavailableError for an address that
        cannot be used.
        """
        history, address = settings.history, settings.sites[site]
        self._tokens = SiteTokensFile(settings.tokens_file)
        self._executor = ThreadPoolExecutor(LOOK_UPS_AT_ONCE, thread_name_prefix="look-up")
        limits = RateLimits(history.officer_look_ups_per_minute, history.site_look_ups_per_minute)
        api = SightingsApi(
            site,
            settings.sites,
            self._tokens,
            answering=Answering(site, search, audit, limits),
            refusals=Refusals(site, audit),
            executor=self._executor,
        )
        self._scheme = address.history.partition(":")[0]
        table = ConnectionTable(_MOST_CONNECTIONS)
        config = _server_config(api, table, *_certificate(settings) if self._scheme == "https" else (None, None))
        self._server = uvicorn.Server(config)
        own_host, own_port = address.history_endpoint
        listener = listen(f"the history of {site}", host or own_host, own_port if port is None else port)
        self._listener = BoundedListener(listener, table)
        self._thread = threading.Thread(target=self._serve, name="sightings-api")

    @property
    def address(self) -> str:
        """Where it listens."""
        host, port = self._listener.getsockname()[:2]
        return f"{self._scheme}://{f'[{host}]' if ':' in host else host}:{port}"

    def __enter__(self) -> Self:
        self._thread.start()
        log.info("answering look-ups", address=self.address)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._executor.shutdown()

    def _serve(self) -> None:
        try:
            self._server.run([self._listener])
        finally:
            self._listener.close()  # whoever asks is refused at once, and does not wait

    def why_not_ready(self) -> list[str]:
        """Return why look-ups are not answered."""
        if not self._thread.is_alive():
            return ["look-ups are not answered: their server has stopped"]
        try:
            SiteTokensFile(self._tokens.path).tokens()
        except InputError as error:
            return [f"look-ups are not answered: {error}"]
        return []


def _certificate(settings: Settings) -> tuple[Path, Path | None]:
    """Return the files of this machine's certificate and key. Raises InputError when they cannot be used."""
    history = settings.history
    if not history.certificate:
        raise InputError(
            "history-without-certificate",
            "the address of this history in sites.toml is https://, and history.certificate names no certificate",
            "set history.certificate and history.certificate_key to PEM files",
        )
    certificate = Path(history.certificate).expanduser()
    key = Path(history.certificate_key).expanduser() if history.certificate_key else None
    check_certificate(certificate, key)
    return certificate, key


def _server_config(
    api: SightingsApi, table: ConnectionTable, certificate: Path | None, key: Path | None
) -> uvicorn.Config:
    return bounded_server_config(
        api.application(),
        table,
        ssl_certfile=certificate,
        ssl_keyfile=key,
        ssl_context_factory=_at_least_tls_1_2 if certificate else None,
        lifespan="off",
        timeout_graceful_shutdown=_STOP_SECONDS,
    )


def _at_least_tls_1_2(_: uvicorn.Config, make: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    context = make()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
