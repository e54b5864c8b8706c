"""Asks the history of every site about one vehicle, all at the same time, each within a time limit.

What is not known is said: a site without an answer is in the result too, with the reason.
"""

import asyncio
from collections.abc import Collection
from typing import Final

import msgspec

from anpr.contracts.bounds import beyond_bounds
from anpr.contracts.events import Undecodable
from anpr.contracts.look_up import LookUp, SightingsAnswer
from anpr.contracts.sightings_api import request_of
from anpr.look_up import no_answer
from anpr.look_up.site_client import NoAnswerError, SiteClient
from anpr.look_up.site_reply import SiteReply
from anpr.runtime.settings import Settings

_ANSWER: Final = msgspec.json.Decoder(SightingsAnswer)


async def ask_sites(
    settings: Settings, look_up: LookUp, *, sites: Collection[str], covert: bool = False
) -> list[SiteReply]:
    """Ask these sites, and return a reply for each, in the order of `sites.toml`.

    `covert` says that the asker may see covert alerts: their own site (`look_up.asking_site`) then answers with its
    own. No other site is asked for any. The words of a problem follow the site's name. Raises InputError for a file
    of tokens or an authority that cannot be used.
    """
    # To load the certificates of an authority takes long: the pages of a console go on meanwhile.
    async with await asyncio.to_thread(SiteClient, settings) as client:
        in_order = [site for site in settings.sites if site in sites]
        return await asyncio.gather(*(_ask(client, site, look_up, covert=covert) for site in in_order))


async def _ask(client: SiteClient, site: str, look_up: LookUp, *, covert: bool) -> SiteReply:
    """Return the reply of one site."""
    question = msgspec.json.encode(request_of(look_up, covert=covert and site == look_up.asking_site))
    try:
        content = await client.ask(look_up.asking_site, site, question)
    except NoAnswerError as error:
        return SiteReply(site, None, str(error))
    # Decoding thousands of sightings must not hold up the other sites, nor the console's pages.
    return await asyncio.to_thread(_reply, site, content)


def _reply(site: str, content: bytes) -> SiteReply:
    try:
        answer = _ANSWER.decode(content)
    except (*Undecodable, RecursionError):  # the text of the error may quote a plate
        return SiteReply(site, None, no_answer.UNREADABLE)
    if answer.site != site:
        return SiteReply(site, None, no_answer.answered_as(answer.site))
    if not all(one.site == one.read.site == site and not beyond_bounds(one) for one in answer.sightings):
        return SiteReply(site, None, no_answer.NOT_ITS_OWN)
    return SiteReply(site, answer)
