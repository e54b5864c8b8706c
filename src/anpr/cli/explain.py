"""`anpr explain`: compare a plate as read with a plate as listed, and show why they match or not."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import click

from anpr.cli import check_site, settings_of
from anpr.cli.calibration.common import NO_INDEX, active_calibrations
from anpr.contracts.events import NO_GENERATION, Entry, Read, encode
from anpr.matching.compare import Comparison, TierTest, compare
from anpr.matching.explanation import align
from anpr.matching.scoring.confidence_calibration import NO_CALIBRATIONS, Calibrations
from anpr.matching.scoring.evidence import Evidence
from anpr.matching.scoring.likelihood import SMALLEST_LIST
from anpr.reads.decoder import unusable_reason
from anpr.runtime.camera_names import unknown_camera
from anpr.runtime.errors import InputError
from anpr.watchlist.calibrations import calibrations_of
from anpr.watchlist.csv_cells import InvalidCellError, parse_country
from anpr.watchlist.plate_cell import SHORT, PlateCell, read_plate_cell

_RULES = {
    "exact": "the same letters and digits",
    "equivalent": "the same if 0 and O count as one, and 1 and I",
    "folded": "the same if characters that cameras confuse count as one",
    "near": "then one character is missing, extra or different, two are swapped, or the district ends elsewhere",
    "pattern": "fits the pattern",
}


class Confidence(click.FloatRange):
    """A number from 0 to 1."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Refuse `nan`, which is neither too small nor too large."""
        number: float = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value} is not in the range 0<=x<=1.", param, ctx)
        return number


@click.command(name="explain")
@click.argument("read")
@click.argument("listed")
@click.option("--country", help="The country that the camera read, as GB or PL.")
@click.option("--listed-country", help="The country of the entry.")
@click.option("--confidence", type=Confidence(0, 1), help="How sure the camera was of the whole read.")
@click.option(
    "--entries",
    type=click.IntRange(min=1),
    default=1_000_000,
    show_default=True,
    help="Number of entries on the list. The score depends on it.",
)
@click.option("--site", help="The site of the camera.")
@click.option("--camera", help="The camera. Its calibration in this machine's index counts.")
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
    site: str | None,
    camera: str | None,
    as_json: bool,
) -> None:
    """Show why a plate as READ matches a plate as LISTED, or not.

    LISTED may be a pattern. The comparison goes tier by tier, and assumes that the entry has tolerance `near`. The
    score is the probability that this is the listed vehicle. The evidence shows what raises it and what lowers it.
    Exit code 1: the two do not match. Exit code 2: no camera could send READ, or no list can hold LISTED.

    \b
    Examples:
      anpr explain AB1OCDE AB10CDE --country GB
      anpr explain "AB12 CD" AB12CDE --confidence 0.6
      anpr explain AB12CDE "AB1?*"
      anpr explain AB1ZCDE AB12CDE --confidence 0.62 --site calais --camera calais-uk-1-front
    """
    if (site is None) != (camera is None):
        raise click.UsageError("--site and --camera name a camera together: give both", ctx)
    if reason := unusable_reason(read):
        raise InputError("explain-unusable", f"READ {read!r}: {reason}", "give a plate as a camera may read it")
    country, listed_country = _country("--country", country), _country("--listed-country", listed_country)
    cell = _plate_cell(listed, listed_country)
    of_read = Read(
        read_id="-", site=site or "-", camera=camera or "-", plate=read, country=country, confidence=confidence
    )
    entry = Entry(
        entry_id="-",
        revision=NO_GENERATION,
        list="-",
        plate=cell.plate,
        country=cell.country or listed_country,
        valid_until=datetime.max.replace(tzinfo=UTC),
        tolerance="near",
    )
    comparison = compare(
        of_read, entry, entries, _calibration(ctx, site, camera) if site and camera else NO_CALIBRATIONS
    )
    click.echo(encode(comparison).decode() if as_json else as_text(comparison))
    ctx.exit(0 if comparison.is_match else 1)


def _calibration(ctx: click.Context, site: str, camera: str) -> Calibrations:
    """Return the calibration of a camera. Say so where it has none. Raises InputError for an unknown camera."""
    settings = settings_of(ctx)
    check_site(settings, site)
    if reason := unknown_camera(camera, site, settings.sites):
        raise InputError("explain-unusable", f"--camera {camera!r}: {reason}", "name a camera of sites.toml")
    active = active_calibrations(settings)
    calibrations = [one for one in active or () if one.name == (site, camera)]
    if not calibrations:
        why = f"; {NO_INDEX}" if active is None else ""
        click.echo(f"{camera} is not calibrated, so its confidence counts as it is{why}", err=True)
    return calibrations_of(calibrations)


def _country(option: str, value: str | None) -> str | None:
    """Return the code of a country, as of a list or a read. Raises InputError."""
    try:
        return None if value is None else parse_country(value)
    except InvalidCellError as invalid:
        raise _unusable(option, invalid) from None


def _unusable(field: str, invalid: InvalidCellError) -> InputError:
    return InputError(
        "explain-unusable", f"{field} {invalid.value!r}: {invalid.reason}", "give a value that a list can hold"
    )


def _plate_cell(listed: str, country: str | None) -> PlateCell:
    """Return the plate that a list takes from a cell. Raises InputError for what a list refuses, with its reason."""
    try:
        cell = read_plate_cell(listed, country)
    except InvalidCellError as invalid:
        raise _unusable("LISTED", invalid) from None
    for note in (note for note in cell.notes if note != SHORT):
        click.echo(f"LISTED {listed!r}: a list counts it among the {note}", err=True)
    return cell


def as_text(comparison: Comparison) -> str:
    """Return the comparison as lines of text: the plates, their differences, the tiers, the evidence, the verdict."""
    lines = [] if comparison.tests[0].tier == "pattern" else plates_one_above_the_other(comparison)
    for difference in comparison.differences:
        texts = f"read {difference.read or 'nothing'}, listed {difference.listed or 'nothing'}"
        lines.append(f"character {difference.place}: {texts}: {difference.why}")
    lines += [*comparison.notes, "", *(tier_line(test) for test in comparison.tests), ""]
    if comparison.evidence:
        lines += [*evidence_table(comparison.evidence), ""]
    lines.append(verdict(comparison))
    return "\n".join(lines)


def plates_one_above_the_other(comparison: Comparison) -> list[str]:
    """Return the two plates with a gap where one lacks a character, and marks below the differences."""
    rows = ["read    ", "listed  ", "        "]
    for step in align(comparison.read_as, comparison.listed_as):
        width = max(len(step.read), len(step.listed))
        mark = "" if step.read == step.listed else "^" * width
        rows[0] += f" {step.read:·<{width}}"
        rows[1] += f" {step.listed:·<{width}}"
        rows[2] += f" {mark:<{width}}"
    return [row.rstrip() for row in rows]


def tier_line(test: TierTest) -> str:
    """Return whether the two are alike by one tier's rule."""
    if test.tier == "near" and test.read_as == test.listed_as and not test.is_alike:
        return f"{test.tier:10}  no   the two are the same, so there is no edit"
    texts = f"{test.read_as} {'=' if test.read_as == test.listed_as else '/'} {test.listed_as}"
    return f"{test.tier:10}  {'yes' if test.is_alike else 'no ':3}  {_RULES[test.tier]}: {texts}"


def evidence_table(evidence: Sequence[Evidence]) -> list[str]:
    """Return a line for each part of the score: its log-odds, and the running total."""
    lines, total = [f"{'evidence':14}  {'log-odds':>8}  {'total':>8}"], 0.0
    for part in evidence:
        total += part.log_odds
        lines.append(f"{part.name:14}  {part.log_odds:8.2f}  {total:8.2f}")
    return lines


def verdict(comparison: Comparison) -> str:
    """Return whether the two match, the score, and if they do not match the reason."""
    if comparison.score is None:
        return "no match: they are alike in no tier"
    score = f"score {comparison.score:.4f}"
    if comparison.tier != "pattern":
        # A shorter list counts as one of this length.
        shorter = "up to " if comparison.entries <= SMALLEST_LIST else ""
        score += f" in a list of {shorter}{max(comparison.entries, SMALLEST_LIST):,} entries"
    if comparison.is_match:
        return f"match: {comparison.tier}, {score}"
    return f"no match: {comparison.tier}, but the {score} is below {comparison.least_score}"
