"""Checks the history of each site as a look-up would ask it: whether it answers, and accepts the token held here."""

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from anpr.doctor.findings import Check, Finding, note, well, wrong
from anpr.look_up.site_client import NoAnswerError, SiteClient
from anpr.runtime.clock import Clock
from anpr.runtime.durations import in_words
from anpr.runtime.errors import AnprError
from anpr.runtime.settings import Settings
from anpr.runtime.site_tokens import SiteTokensFile

_RENEW_WITHIN: Final = timedelta(days=30)


def checks(settings: Settings, clock: Clock) -> list[tuple[str, str, Check]]:
    """Return the checks: one for each site that has cameras or a history."""
    return [("history", site, partial(check, settings, site, clock)) for site in settings.sites_to_ask]


def check(settings: Settings, site: str, clock: Clock) -> Iterable[Finding]:
    """Ask the history of a site what it understands, with each token for it that this machine holds."""
    address = settings.sites[site].history
    if not address:
        step = f"run `anpr history --site {site}`, and give the site its `history` address in sites.toml"
        yield note("history", site, "has no address, so look-ups leave the site out", step)
        return
    subject = f"{address} ({site})"
    try:
        held = [one for one in SiteTokensFile(settings.tokens_file).tokens().held if one.answering == site]
        for token in held:
            yield from _try(settings, site, token.asking, subject, clock)
    except AnprError as error:
        yield wrong("history", subject, str(error), error.next_step, error.code)
        return
    if not held:
        step = f"if people look vehicles up here: get a token from {site}, with `anpr site-tokens new` there"
        yield note("history", subject, "this machine holds no token for it", step)


def _try(settings: Settings, site: str, asking: str, subject: str, clock: Clock) -> Iterable[Finding]:
    """Ask with the token of one asking site. Raises InputError for an authority that cannot be used."""
    try:
        until = asyncio.run(_certificate_until(settings, asking, site))
    except NoAnswerError as error:
        step = "start it, or correct its address, its certificate or its token"
        yield wrong("history", subject, f"{error} (asked by {asking})", step)
        return
    yield well("history", subject, f"answers, and accepts the token of {asking}")
    left = _RENEW_WITHIN if until is None else until - clock()
    if left < _RENEW_WITHIN:
        message = f"its certificate ends in {in_words(left)}"
        yield wrong("history", subject, message, f"renew it, and restart `anpr history --site {site}`")


async def _certificate_until(settings: Settings, asking: str, site: str) -> datetime | None:
    async with SiteClient(settings) as client:
        return await client.certificate_until(asking, site)
