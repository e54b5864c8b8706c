"""A fault at a port, and the sentences that say one cause in one line, however many ports it touches. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from anpr.console.local_time import FormatTime
from anpr.runtime.settings import Site


class WhatToDo(NamedTuple):
    """What an officer does about a fault: at their own port, and at others, with `{ports}` for their names."""

    here: tuple[str, ...]
    elsewhere: tuple[str, ...]


class SiteWarning(NamedTuple):
    """A fault at one port.

    Attributes:
        site: The port.
        what: What is wrong there, with `{since}` where the time belongs.
        since: Since when, None where that is not known or does not matter.
        do: What to do about it.
        one_cause_within: Ports that have the same fault from so shortly after each other have it for one cause.
    """

    site: str
    what: str
    since: datetime | None
    do: WhatToDo
    one_cause_within: timedelta = timedelta(seconds=10)


def in_words(
    warnings: Iterable[SiteWarning], sites: Mapping[str, Site], own_site: str, at: FormatTime
) -> Iterator[str]:
    """Yield a line for each cause, in the order of the first warning of each."""
    for cause in _causes(warnings):
        names = list(dict.fromkeys(warning.site for warning in cause))
        others = [sites[name].title for name in names if name != own_site]
        first = min((warning.since for warning in cause if warning.since), default=None)
        what, do = cause[0].what, cause[0].do
        # The names of cameras and matchers come from outside, so nothing is formatted twice.
        what = what.replace("{since}", at(first)) if first else what
        steps = (*(do.elsewhere if others else ()), *(do.here if own_site in names else ()))
        said = (step.replace("{ports}", listed(others)) for step in dict.fromkeys(steps))
        yield f"{listed([sites[name].title for name in names])}: {what} {' '.join(said)}"


def _causes(warnings: Iterable[SiteWarning]) -> list[list[SiteWarning]]:
    causes: list[list[SiteWarning]] = []
    for warning in warnings:
        same = next((cause for cause in causes if _have_one_cause(cause[0], warning)), None)
        if same is None:
            causes.append([warning])
        else:
            same.append(warning)
    return causes


def _have_one_cause(first: SiteWarning, other: SiteWarning) -> bool:
    if (first.what, first.do) != (other.what, other.do):
        return False
    if first.since is None or other.since is None:
        return first.since is other.since
    return abs(first.since - other.since) <= first.one_cause_within


def listed(names: Sequence[str]) -> str:
    """Return names as a list in a sentence."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))
