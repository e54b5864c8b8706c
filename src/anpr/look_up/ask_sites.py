"""Asks the history of every site about one vehicle, all at the same time, each within a time limit.

What is not known is said: a site without an answer is in the result too, with the reason.
"""

import asyncio
import ssl
from collections.abc import Collection
from typing import Final

import httpx
import msgspec

from anpr.contracts.look_up import LookUp, SightingsAnswer
from anpr.contracts.sightings_api import MOST_ANSWER_BYTES, SIGHTINGS_PATH, Problem, request_of
from anpr.look_up import no_answer
from anpr.look_up.site_reply import SiteReply
from anpr.runtime.errors import InputError
from anpr.runtime.settings import Settings
from anpr.runtime.site_tokens import SiteTokensFile

_ANSWER: Final = msgspec.json.Decoder(SightingsAnswer)
_PROBLEM: Final = msgspec.json.Decoder(Problem)


async def ask_sites(
    settings: Settings, look_up: LookUp, *, covert: bool = False, sites: Collection[str] = ()
) -> list[SiteReply]:
    """Ask these sites, all without any, and return a reply for each, in the order of `sites.toml`.

    `covert` says that the asker may see covert alerts: their own site (`look_up.asking_site`) then answers with its
    own. No other site is asked for any. The words of a problem follow the site's name. Raises InputError for a file
    of tokens or an authority that cannot be used.
    """
    tokens = SiteTokensFile(settings.tokens_file)
    tokens.tokens()  # a fault of the file is no fault of a site
    asked = [site for site in settings.sites if site in sites or not sites]
    # Without the environment: no proxy of this machine may see a plate or a token.
    async with httpx.AsyncClient(
        verify=accepted_certificates(settings.history.authority),
        trust_env=False,
        timeout=settings.history.answer_within_seconds,
    ) as client:
        return await asyncio.gather(*(_ask(client, settings, tokens, site, look_up, covert=covert) for site in asked))


def accepted_certificates(authority: str) -> ssl.SSLContext:
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


async def _ask(  # noqa: PLR0913  what a question needs
    client: httpx.AsyncClient, settings: Settings, tokens: SiteTokensFile, site: str, look_up: LookUp, *, covert: bool
) -> SiteReply:
    """Return the reply of one site."""
    address = settings.sites[site].history
    if not address:
        return SiteReply(site, None, no_answer.NO_HISTORY)
    token = tokens.token_for(look_up.asking_site, site)
    if token is None:
        return SiteReply(site, None, no_answer.NO_TOKEN)
    body = msgspec.json.encode(request_of(look_up, covert=covert and site == look_up.asking_site))
    seconds = settings.history.answer_within_seconds
    try:
        async with asyncio.timeout(seconds):
            return await _reply(client, site, f"{address}{SIGHTINGS_PATH}", token, body)
    except TimeoutError:
        return SiteReply(site, None, no_answer.too_slow(seconds))
    except httpx.HTTPError as error:
        return SiteReply(site, None, no_answer.of_error(error, seconds))


async def _reply(client: httpx.AsyncClient, site: str, url: str, token: str, body: bytes) -> SiteReply:
    """Send the question and read the answer. Raises httpx.HTTPError when there is none."""
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        "Accept-Encoding": "identity",  # a small answer must not unpack into an endless one
    }
    async with client.stream("POST", url, content=body, headers=headers) as response:
        content = bytearray()
        async for part in response.aiter_raw():
            content += part
            if len(content) > MOST_ANSWER_BYTES:
                return SiteReply(site, None, no_answer.TOO_LONG)
    if response.status_code != 200:
        problem = no_answer.of_refusal(
            response.status_code, _problem(content), response.headers.get("Retry-After", "")
        )
        return SiteReply(site, None, problem)
    # Decoding thousands of sightings must not hold up the other sites, nor the console's pages.
    return await asyncio.to_thread(_answered, site, bytes(content))


def _answered(site: str, content: bytes) -> SiteReply:
    try:
        answer = _ANSWER.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):  # the text of the error may quote a plate
        return SiteReply(site, None, no_answer.UNREADABLE)
    if answer.site != site:
        return SiteReply(site, None, no_answer.answered_as(answer.site))
    return SiteReply(site, answer)


def _problem(content: bytes | bytearray) -> Problem | None:
    try:
        return _PROBLEM.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
