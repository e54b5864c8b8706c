"""`anpr dry-run`: the whole matcher with neither Kafka nor Redis."""

import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

import click

from anpr.alerts import raise_alerts
from anpr.cli import settings_of
from anpr.cli.watchlist import show_refusals
from anpr.events import Alert, Correction, encode
from anpr.intake import BadRead, decode_read
from anpr.matching.index import Index
from anpr.watchlist.csv_file import UNAPPLIED, read_list


@click.command(name="dry-run")
@click.option(
    "--watchlist",
    "list_file",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="The list, as for `anpr watchlist apply`.",
)
@click.option("--reads", "reads_file", required=True, type=click.File("rb"), help="JSON lines, - for stdin.")
@click.option(
    "--list", "list_name", default="dry-run", show_default=True, help="What to call the list in the alerts."
)
@click.pass_context
def command(ctx: click.Context, list_file: Path, reads_file: BinaryIO, list_name: str) -> None:
    """Match a file of reads against a list and print the alerts.

    One Alert a line on stdout, with the ids that the live system gives them; refused lines and a summary by tier,
    entry and day on stderr. A read is matched as of its `received_at` where it has one, else its capture.
    Exit code 1 when lines were refused.

    \b
    Example:
      anpr dry-run --watchlist config/example_watchlist.csv --reads reads.jsonl > alerts.jsonl
    """
    settings = settings_of(ctx)
    late_after = timedelta(seconds=settings.matcher.late_after_seconds)
    content = read_list(list_file, list_name)
    show_refusals(list_file, content)
    index = Index.build(content.entries, UNAPPLIED)
    reads, refused, corrections = 0, 0, 0
    seen: set[str] = set()  # a camera that repeats a read repeats its alerts, which are one
    tally: dict[str, Counter[str]] = {"tier": Counter(), "day": Counter(), "entry": Counter()}
    out = sys.stdout.buffer
    for number, line in enumerate(reads_file, start=1):
        if not line.strip():
            continue
        try:
            read = decode_read(line, None, None)
        except BadRead as error:
            refused += 1
            click.echo(f"{reads_file.name}: line {number}: {error}", err=True)
            continue
        reads += 1
        now = read.received_at or read.captured_at
        if now is None:
            continue
        for fact in raise_alerts([read], index, now, late_after):
            if isinstance(fact, Alert) and fact.alert_id not in seen:
                seen.add(fact.alert_id)
                out.write(encode(fact) + b"\n")
                tally["tier"][fact.tier] += 1
                tally["day"][fact.captured_at.date().isoformat()] += 1
                tally["entry"][fact.entry.entry_id] += 1
            elif isinstance(fact, Correction):
                corrections += 1
    out.flush()
    click.echo(
        f"{reads} reads matched, {refused} lines refused, {tally['tier'].total()} alerts, {corrections} corrections",
        err=True,
    )
    for what, counts in tally.items():
        for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:20]:
            click.echo(f"  {what} {name}: {count}", err=True)
    ctx.exit(1 if refused or content.refusals else 0)
