"""The templates: where they are, and the filters and labels that they use."""

import functools
from datetime import datetime, tzinfo
from pathlib import Path

import jinja2
from jinja2 import ChoiceLoader, PackageLoader, PrefixLoader
from markupsafe import Markup, escape

from anpr.console import labels
from anpr.console.local_time import clock_time_in, date_time_in, day_text, log_time_in, weekday_time_in
from anpr.contracts.events import Explanation
from anpr.contracts.plates import country_of
from anpr.runtime.camera_names import likely_camera


def environment(govuk: Path | None, zone: tzinfo) -> jinja2.Environment:
    """Return the templates, with times of `zone`. `govuk` is the folder of GOV.UK Frontend, None without it."""
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
        "second": log_time_in(zone),
        "iso": datetime.isoformat,
        "mark_differences": mark_differences,
        "country_of": country_of,
    }
    templates.globals |= {"labels": labels, "likely_camera": likely_camera, "has_govuk": govuk is not None}
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


@functools.cache
def package_folder(name: str) -> Path:
    """Return a folder of this package."""
    return Path(__file__).parent / name
