"""The API over HTTP: first the token, then the body, then the answer or the reason why there is none.

Nothing of a request is in its address, and nothing of it is logged.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from concurrent.futures import Executor
from typing import Final

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from anpr.contracts.events import Undecodable
from anpr.contracts.moments import in_utc
from anpr.contracts.sightings_api import (
    MOST_REQUEST_BYTES,
    OPENAPI_PATH,
    SIGHTINGS_PATH,
    Problem,
    SightingsRequest,
    openapi,
)
from anpr.history.api.answering import Answering
from anpr.history.api.rate_limits import TooOftenError
from anpr.history.api.refusals import Refusals
from anpr.runtime import metrics
from anpr.runtime.errors import AnprError, InputError, UnavailableError
from anpr.runtime.logs import get_logger
from anpr.runtime.site_tokens import SiteTokensFile

log = get_logger(__name__)

# A body is a few hundred bytes, so it arrives at once.
BODY_SECONDS: Final = 10.0
# One request a connection: a connection that stays open would hold up the end of the service.
_HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Connection": "close"}
# Every other InputError is about the question itself.
_STATUS: Final = {
    "look-up-malformed": 400,
    "site-token-rejected": 401,
    "look-up-other-site": 403,
    "look-up-too-long": 413,
    "look-up-too-often": 429,
}
_decoder = msgspec.json.Decoder(SightingsRequest)


class SightingsApi:
    """The routes of one site, and what they have in common."""

    def __init__(  # noqa: PLR0913  the parts that a request passes
        self,
        site: str,
        known_sites: Collection[str],
        tokens: SiteTokensFile,
        *,
        answering: Answering,
        refusals: Refusals,
        executor: Executor,
    ) -> None:
        """Answer for `site`. Look-ups run in `executor`; metrics name no site but `known_sites`."""
        self._site = site
        self._known_sites = frozenset(known_sites)
        self._tokens = tokens
        self._answering = answering
        self._refusals = refusals
        self._executor = executor
        self._document = msgspec.json.encode(openapi())

    def application(self) -> Starlette:
        """Return the web application."""
        return Starlette(
            routes=[
                Route(SIGHTINGS_PATH, self._guarded(self._sightings), methods=["POST"]),
                Route(OPENAPI_PATH, self._guarded(self._describe), methods=["GET"]),
            ],
            exception_handlers={HTTPException: _no_such_route},
        )

    def _guarded(
        self, answer: Callable[[Request, str], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        """Return a handler that answers only who has a token, and everybody else why not."""

        async def guarded(request: Request) -> Response:
            try:
                asking = self._asking_site(request)
            except AnprError as error:
                return await self._refuse(request, error)
            request.state.asking = asking
            try:
                return await answer(request, asking)
            except AnprError as error:
                return await self._refuse(request, error)

        return guarded

    def _asking_site(self, request: Request) -> str:
        """Return the site whose token the request has. Raises InputError, or UnavailableError for a bad file."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        try:
            asking = self._tokens.asking_site(self._site, token) if scheme.lower() == "bearer" else None
        except InputError as error:  # its text names a file of this machine
            log.warning("tokens cannot be checked", code=error.code, error=str(error), next_step=error.next_step)
            raise UnavailableError(
                "site-tokens-unusable", "this site cannot check tokens", "its engineers run `anpr doctor`"
            ) from None
        if asking is None:
            raise InputError(
                "site-token-rejected",
                "this site does not accept the token",
                "let this site make a new one with `anpr site-tokens new`",
            )
        return asking

    async def _sightings(self, request: Request, asking: str) -> Response:
        request.state.asked = asked = _decoded(await _body(request))
        started_at = time.monotonic()
        loop = asyncio.get_running_loop()
        content = await loop.run_in_executor(self._executor, self._answer, asking, asked)
        metrics.HISTORY_LOOK_UP.labels(self._site).observe(time.monotonic() - started_at)
        self._count(asking, "answered")
        return Response(content, headers=_HEADERS, media_type="application/json")

    async def _describe(self, _: Request, __: str) -> Response:
        return Response(self._document, headers=_HEADERS, media_type="application/json")

    def _answer(self, asking: str, asked: SightingsRequest) -> bytes:
        return msgspec.json.encode(self._answering.answer(asking, asked))

    async def _refuse(self, request: Request, error: AnprError) -> Response:
        """Count and record that a request was refused, and say why."""
        asking, asked = getattr(request.state, "asking", ""), getattr(request.state, "asked", None)
        self._count(asking, error.code)
        if isinstance(error, UnavailableError):
            return self._unavailable(error)
        address = request.client.host if request.client else ""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._executor, self._refusals.note, error.code, asking, address, asked)
        headers = {"Retry-After": str(error.wait_seconds)} if isinstance(error, TooOftenError) else {}
        if error.code == "site-token-rejected":
            headers["WWW-Authenticate"] = "Bearer"
        status = _STATUS.get(error.code, 422)
        return _problem(Problem(title=str(error), status=status, code=error.code, next_step=error.next_step), headers)

    def _unavailable(self, error: UnavailableError) -> Response:
        """Say that there is no answer now. The other site learns no path of this machine."""
        log.error("a look-up cannot be answered", code=error.code, error=str(error), next_step=error.next_step)
        return _problem(Problem(title="this site does not answer now", status=503, code=error.code))

    def _count(self, asking: str, result: str) -> None:
        """Count a request by who asked and what came of it: `answered`, or the code of the refusal."""
        name = asking if asking in self._known_sites else metrics.OTHER
        metrics.HISTORY_LOOK_UPS.labels(self._site, name, result).inc()


async def _body(request: Request) -> bytes:
    """Return the body. Raises InputError for one that is too long or does not come."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for part in request.stream():
                body += part
                if len(body) > MOST_REQUEST_BYTES:
                    raise InputError(
                        "look-up-too-long",
                        f"a look-up has at most {MOST_REQUEST_BYTES} bytes",
                        "shorten the reason",
                    )
    except TimeoutError:
        raise _malformed(f"the body did not come within {BODY_SECONDS:g} s") from None
    return bytes(body)


def _decoded(body: bytes) -> SightingsRequest:
    """Return the request in a body. The text of a decoder's error may quote the plate, so it is not repeated."""
    try:
        request = _decoder.decode(body)
        # In another zone, a period at the edge of the calendar has no date in UTC.
        return msgspec.structs.replace(request, since=in_utc(request.since), until=in_utc(request.until))
    except (*Undecodable, ValueError):
        raise _malformed("the body is not a look-up that this version knows") from None


def _malformed(message: str) -> InputError:
    return InputError("look-up-malformed", message, f"see {OPENAPI_PATH} of this site")


def _problem(problem: Problem, headers: dict[str, str] | None = None) -> Response:
    return Response(
        msgspec.json.encode(problem),
        problem.status,
        {**_HEADERS, **(headers or {})},
        media_type="application/problem+json",
    )


async def _no_such_route(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return _problem(Problem(title="this API has no such route", status=status, code="look-up-malformed"))
