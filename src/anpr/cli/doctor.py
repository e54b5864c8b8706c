"""`anpr doctor`: checks every server, folder and clock that the configuration names."""

import click
import msgspec

from anpr.cli import settings_of
from anpr.doctor.examine import checks, examine
from anpr.doctor.findings import Finding
from anpr.runtime.clock import system_clock
from anpr.runtime.plurals import counted

_MARKS = {"well": "well ", "note": "note ", "wrong": "WRONG"}


@click.command(name="doctor")
@click.option("--json", "as_json", is_flag=True, help="One JSON line for each finding.")
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """Check everything that the configuration names.

    The command reports each fault and how to correct it. It checks:

    \b
    - each Kafka: topics, groups, the last status of each matcher
    - each Redis: role, memory, the active list
    - each history: whether it answers and accepts this machine's token
    - each back-check of this machine: whether it runs and can read what it needs
    - each calibrated camera: whether its confidences are as when it was calibrated
    - the folders of this machine, and the clocks

    It changes nothing, and ends within seconds even if no server answers. Problems are printed last. Exit code 1:
    something is wrong.

    \b
    Examples:
      anpr doctor
      anpr doctor --json | jq 'select(.state == "wrong")'
    """
    settings = settings_of(ctx)
    findings = []
    for finding in examine(checks(settings, system_clock)):
        findings.append(finding)
        if as_json:
            click.echo(msgspec.json.encode(finding))
        elif finding.state != "wrong":
            _show(finding)
    faults = [finding for finding in findings if finding.state == "wrong"]
    if not as_json:
        for finding in sorted(faults, key=lambda finding: (finding.check, finding.subject)):
            _show(finding)
    click.echo(f"{counted(len(findings), 'answer')}, {len(faults)} wrong", err=True)
    ctx.exit(1 if faults else 0)


def _show(finding: Finding) -> None:
    click.echo(f"{_MARKS[finding.state]}  {finding.check}  {finding.subject}: {finding.message}")
    if finding.next_step:
        click.echo(f"       next: {finding.next_step}")
    if finding.code:
        click.echo(f"       more: docs/errors.md#{finding.code}")
