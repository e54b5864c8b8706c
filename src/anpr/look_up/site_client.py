"""Sends a request to the history of a site, and returns what it answered, or why it did not."""

import asyncio
import logging
import ssl
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, NamedTuple, Self

import httpx
import msgspec

from anpr.contracts.events import Undecodable
from anpr.contracts.sightings_api import MOST_ANSWER_BYTES, OPENAPI_PATH, SIGHTINGS_PATH, Problem
from anpr.look_up import no_answer
from anpr.runtime.errors import InputError
from anpr.runtime.settings import Settings
from anpr.runtime.site_tokens import SiteTokensFile

_PROBLEM: Final = msgspec.json.Decoder(Problem)

# The client closes a connection that it gives up itself. One that the time limit breaks off stays open longer.
_CONNECT_SHARE: Final = 0.9


class NoAnswerError(Exception):
    """A site did not answer. The text says why, and follows the site's name."""


class SiteClient:
    """Asks the histories of sites. Requests may run at the same time, each within the time limit."""

    def __init__(self, settings: Settings) -> None:
        """Raises InputError for a file of tokens or an authority that cannot be used: that is no fault of a site."""
        logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs a line for each request
        self._settings = settings
        self._tokens = SiteTokensFile(settings.tokens_file)
        self._tokens.tokens()
        # Without the environment: no proxy of this machine may see a plate or a token.
        self._http = httpx.AsyncClient(
            verify=_accepted_certificates(settings.history.authority),
            trust_env=False,
            timeout=_CONNECT_SHARE * settings.history.answer_within_seconds,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def ask(self, asking: str, site: str, question: bytes) -> bytes:
        """Send a `SightingsRequest` of `asking` to `site` and return its answer. Raises NoAnswerError."""
        content, _ = await self._send(asking, site, "POST", SIGHTINGS_PATH, question)
        return content

    async def certificate_until(self, asking: str, site: str) -> datetime | None:
        """Try whether a site answers and accepts the token of `asking`. Raises NoAnswerError.

        Returns until when the site's certificate is valid, None without TLS.
        """
        _, until = await self._send(asking, site, "GET", OPENAPI_PATH)
        return until

    async def _send(self, asking: str, site: str, method: str, path: str, body: bytes = b"") -> "_Answered":
        address = self._settings.sites[site].history
        if not address:
            raise NoAnswerError(no_answer.NO_HISTORY)
        token = self._tokens.token_for(asking, site)
        if token is None:
            raise NoAnswerError(no_answer.NO_TOKEN)
        headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",  # a small answer must not unpack into an endless one
        }
        seconds = self._settings.history.answer_within_seconds
        try:
            async with asyncio.timeout(seconds):
                request = self._http.build_request(method, address + path, headers=headers, content=body)
                return await self._answered(request)
        except TimeoutError:
            raise NoAnswerError(no_answer.too_slow(seconds)) from None
        except httpx.HTTPError as error:
            raise NoAnswerError(no_answer.of_error(error, seconds)) from None

    async def _answered(self, request: httpx.Request) -> "_Answered":
        """Send a request and read the answer. Raises httpx.HTTPError without one, NoAnswerError for a refusal."""
        response = await self._http.send(request, stream=True)
        try:
            until = _certificate_until(response)
            content = bytearray()
            async for part in response.aiter_raw():
                content += part
                if len(content) > MOST_ANSWER_BYTES:
                    raise NoAnswerError(no_answer.TOO_LONG)
        finally:
            await response.aclose()
        if response.status_code != httpx.codes.OK:
            retry_after = response.headers.get("Retry-After", "")
            raise NoAnswerError(no_answer.of_refusal(response.status_code, _problem(content), retry_after))
        return _Answered(bytes(content), until)


class _Answered(NamedTuple):
    content: bytes
    certificate_until: datetime | None


def _accepted_certificates(authority: str) -> ssl.SSLContext:
    """Return how certificates of sites are verified. Raises InputError for an authority that cannot be used."""
    try:
        context = ssl.create_default_context(cafile=authority or None)
    except OSError as error:  # also what ssl raises
        raise InputError(
            "history-authority",
            f"history.authority: {authority} cannot be used: {error.strerror or error}",
            "name a PEM file with the certificate of the authority that signed those of the sites",
        ) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _certificate_until(response: httpx.Response) -> datetime | None:
    """Return until when the certificate of the server that sent this is valid, None without TLS."""
    tls = response.extensions["network_stream"].get_extra_info("ssl_object")
    certificate = tls.getpeercert() if tls is not None else None
    if not certificate:
        return None
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), UTC)


def _problem(content: bytes | bytearray) -> Problem | None:
    try:
        return _PROBLEM.decode(content)
    except (*Undecodable, RecursionError):
        return None
