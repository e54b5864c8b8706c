"""The templates: where they are, and the filters and labels that they use."""

import functools
from collections.abc import Mapping
from datetime import datetime, tzinfo
from pathlib import Path

import jinja2
from jinja2 import ChoiceLoader, PackageLoader, PrefixLoader
from markupsafe import Markup, escape

from anpr.board.journeys import ALWAYS, NEVER
from anpr.console import labels
from anpr.console.local_time import (
    at_site,
    clock_span_in,
    clock_time_in,
    date_time_in,
    day_in,
    day_text,
    exact_time_in,
    log_time_in,
    weekday_time_in,
    written_in,
)
from anpr.contracts.events import Explanation, Read
from anpr.contracts.plates import as_read, country_of
from anpr.contracts.readings import FIRST, reading_that_matched
from anpr.runtime.camera_names import likely_camera
from anpr.runtime.plurals import counted


def environment(govuk: Path | None, zone: tzinfo, zones: Mapping[str, tzinfo]) -> jinja2.Environment:
    """Return the templates, with times of `zone`, and of a site by its own zone.

    `govuk` is the folder of GOV.UK Frontend, None without it.
    """
    templates = jinja2.Environment(
        loader=ChoiceLoader(
            [
                PackageLoader("anpr.console.http"),
                PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")}),
            ]
        ),
        autoescape=True,
        auto_reload=False,  # or each drawing of a card looks at the disk
        undefined=jinja2.ChainableUndefined,  # the components' own macros need it
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {
        "at": weekday_time_in(zone),
        "date": date_time_in(zone),
        "day": day_text,
        "clock": clock_time_in(zone),
        "span": clock_span_in(zone),
        "second": log_time_in(zone),
        "written": written_in(zone),
        "day_at_site": at_site(zones, day_in),
        "time_at_site": at_site(zones, exact_time_in),
        "iso": datetime.isoformat,
        "mark_differences": mark_differences,
        "first_reading": first_reading,
        "is_guess": lambda read, explanation: reading_that_matched(read, explanation) != FIRST,
        "country_of": country_of,
        "percent": percent,
        "counted": counted,
    }
    templates.globals |= {
        "labels": labels,
        "likely_camera": likely_camera,
        "ALWAYS": ALWAYS,
        "NEVER": NEVER,
        "has_govuk": govuk is not None,
    }
    return templates


def mark_differences(explanation: Explanation, *, read: bool) -> Markup:
    """Return the plate as read or as listed, with each letter in <mark> that differs between the two."""
    text = explanation.read_as if read else explanation.listed_as
    differing = {position for difference in explanation.differences for position in difference.span(read=read)}
    letters = (
        Markup("<mark>{}</mark>").format(letter) if position in differing else escape(letter)
        for position, letter in enumerate(text)
    )
    return Markup("").join(letters)


def first_reading(read: Read, explanation: Explanation) -> Markup:
    """Return the plate as the camera read it first, with the letters in <mark> that differ from the listed plate.

    Where only a later guess matches and is of another length, it has no marks.
    """
    if reading_that_matched(read, explanation) == FIRST:
        return mark_differences(explanation, read=True)
    text = as_read(read.plate)
    if len(text) != len(explanation.listed_as):
        return escape(text)
    pairs = zip(text, explanation.listed_as, strict=True)
    return Markup("").join(
        escape(letter) if letter == listed else Markup("<mark>{}</mark>").format(letter) for letter, listed in pairs
    )


def percent(share: float) -> str:
    """Return a probability in words. Neither end is ever certain."""
    whole = round(share * 100)
    if whole < 1:
        return "less than 1 %"
    return "more than 99 %" if whole > 99 else f"{whole} %"


@functools.cache
def package_folder(name: str) -> Path:
    """Return a folder of this package."""
    return Path(__file__).parent / name
