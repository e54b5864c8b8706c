"""`anpr explain`: how a plate as read and one as listed compare, and why they match or not."""

import math
from datetime import UTC, datetime
from typing import Any

import click

from anpr.contracts.events import NO_GENERATION, Entry, Read, encode
from anpr.matching.compare import Comparison, TierTest, compare
from anpr.matching.explain import aligned
from anpr.matching.scoring.likelihood import SMALLEST_LIST
from anpr.reads.decoder import unusable_reason
from anpr.runtime.errors import InputError
from anpr.watchlist.csv_cells import WrongCell
from anpr.watchlist.csv_cells import country as country_code
from anpr.watchlist.csv_line import plate_and_key

_ASKS = {
    "exact": "the same letters and digits",
    "equivalent": "the same once 0 and O, 1 and I are one",
    "folded": "the same once what cameras confuse is one",
    "near": "of these one letter missing, too many, other, or two swapped",
    "pattern": "fits the pattern",
}


class Share(click.FloatRange):
    """A number from 0 to 1."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Refuse what is no number, which is neither too small nor too large."""
        number: float = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value} is not in the range 0<=x<=1.", param, ctx)
        return number


@click.command(name="explain")
@click.argument("read")
@click.argument("listed")
@click.option("--country", help="The country that the camera read, as GB or PL.")
@click.option("--listed-country", help="The country of the entry.")
@click.option("--confidence", type=Share(0, 1), help="How sure the camera was of the whole read.")
@click.option(
    "--entries",
    type=click.IntRange(min=1),
    default=1_000_000,
    show_default=True,
    help="How long the list is: it bears on the score.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@click.pass_context
def command(  # noqa: PLR0913, PLR0917  each option is one
    ctx: click.Context,
    read: str,
    listed: str,
    country: str | None,
    listed_country: str | None,
    confidence: float | None,
    entries: int,
    as_json: bool,
) -> None:
    """Show how a plate as READ compares with one as LISTED (or a pattern), tier by tier.

    The entry is taken to tolerate near matches. The score is the probability that this is the listed vehicle. Exit
    code 1 when the two do not match, 2 when no camera could have sent the one or no list can hold the other.

    \b
    Examples:
      anpr explain AB1OCDE AB10CDE --country GB
      anpr explain "AB12 CD" AB12CDE --confidence 0.6
      anpr explain AB12CDE "AB1?*"
    """
    _check(read, listed, {"--country": country, "--listed-country": listed_country})
    of_read = Read(read_id="-", site="-", plate=read, country=country, confidence=confidence)
    entry = Entry(
        entry_id="-",
        revision=NO_GENERATION,
        list="-",
        plate=listed,
        country=listed_country,
        valid_until=datetime.max.replace(tzinfo=UTC),
        tolerance="near",
    )
    comparison = compare(of_read, entry, entries)
    click.echo(encode(comparison).decode() if as_json else picture(comparison))
    ctx.exit(0 if comparison.is_match else 1)


def _check(read: str, listed: str, countries: dict[str, str | None]) -> None:
    """Refuse what intake and list refuse, with their own words."""
    if why := unusable_reason(read):
        raise InputError("explain-unusable", f"READ {read!r}: {why}", "give a plate as a camera may read it")
    what = "LISTED"
    try:
        plate_and_key(listed)
        for what, value in countries.items():  # noqa: B007  told of in the error
            if value is not None:
                country_code(value)
    except WrongCell as wrong:
        raise InputError(
            "explain-unusable", f"{what} {wrong.value!r}: {wrong.reason}", "give what a list can hold"
        ) from None


def picture(comparison: Comparison) -> str:
    """Return the comparison as lines of text: the plates one above the other, the tiers, the verdict."""
    lines = [] if comparison.tests[0].tier == "pattern" else plates_above_one_another(comparison)
    for difference in comparison.differences:
        what = f"read {difference.read or 'nothing'}, listed {difference.listed or 'nothing'}"
        lines.append(f"place {difference.place}: {what}: {difference.why}")
    lines += [*comparison.notes, "", *(tier_line(test) for test in comparison.tests), "", verdict(comparison)]
    return "\n".join(lines)


def plates_above_one_another(comparison: Comparison) -> list[str]:
    """Return the two plates with a gap where one has nothing, and marks below what differs."""
    rows = ["read    ", "listed  ", "        "]
    for _, listed, _, read in aligned(comparison.read_as, comparison.listed_as):
        width = max(len(read), len(listed))
        rows[0] += f" {read:·<{width}}"
        rows[1] += f" {listed:·<{width}}"
        rows[2] += f" {('' if read == listed else '^'):{'' if read == listed else '^'}<{width}}"
    return [row.rstrip() for row in rows]


def tier_line(test: TierTest) -> str:
    """Return one tier's answer."""
    if test.tier == "near" and test.read_as == test.listed_as:
        return f"{test.tier:10}  no   nothing is missing, too many, other, or swapped"
    texts = f"{test.read_as} {'=' if test.read_as == test.listed_as else '/'} {test.listed_as}"
    return f"{test.tier:10}  {'yes' if test.is_alike else 'no ':3}  {_ASKS[test.tier]}: {texts}"


def verdict(comparison: Comparison) -> str:
    """Return whether the two match, how surely, and if not why."""
    if comparison.score is None:
        return "no match: they are alike in no tier"
    score = f"score {comparison.score:.4f}"
    if comparison.tier != "pattern":
        # A shorter list is taken to be as long.
        shorter = "up to " if comparison.entries <= SMALLEST_LIST else ""
        score += f" in a list of {shorter}{max(comparison.entries, SMALLEST_LIST):,} entries"
    if comparison.is_match:
        return f"match: {comparison.tier}, {score}"
    return f"no match: {comparison.tier}, but the {score} is below {comparison.least_score}"
