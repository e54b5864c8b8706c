"""`python -m tests.fuzz --inputs 1000000`: so many hostile inputs for intake, contracts and lists."""

import random
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator

import click

from tests.fuzz.targets import TARGETS, Target

EPILOG = """\b
Examples:
  python -m tests.fuzz --inputs 10000
  python -m tests.fuzz --inputs 10_000_000 --seed 7 --target intake
  python -m tests.fuzz --seed 7 --target csv --first 123456 --inputs 1
"""
_SAY_SECONDS = 10.0
# More failures of one kind teach nothing.
_SHOWN = 3


class Number(click.ParamType[int]):
    """A number from 1, perhaps with underscores."""

    name = "number"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number, or refuse what is none."""
        try:
            number = int(str(value))
        except ValueError:
            number = 0
        if number < 1:
            self.fail(f"{value!r} is not a number from 1", param, ctx)
        return number


@click.command(epilog=EPILOG, context_settings={"show_default": True})
@click.option("--inputs", default=10_000, type=Number(), help="How many inputs each target gets.")
@click.option("--seed", type=int, help="Repeats the inputs of an earlier run.  [default: a new one]")
@click.option("--target", "chosen", type=click.Choice(list(TARGETS)), multiple=True, help="[default: all]")
@click.option("--first", default=1, type=Number(), help="The number of the first input.")
def main(inputs: int, seed: int | None, chosen: tuple[str, ...], first: int) -> None:
    """Damage good inputs, and check that each is used or refused as promised, and never ends the program.

    The targets: `intake` (a line of a camera is decoded), `matching` (and matched, and its keys are found),
    `contracts` (the records on the topics) and `csv` (a list file). The seed and its number make an input again.

    The exit code is 0 if every input was used or refused, 1 if something else happened.
    """
    seed = random.SystemRandom().randrange(2**31) if seed is None else seed
    names = chosen or tuple(TARGETS)
    failures = 0
    click.echo(f"seed {seed}")
    for name in names:
        for number, value, why in failing(name, TARGETS[name], seed, first, inputs):
            failures += 1
            click.echo(f"{name}: --seed {seed} --first {number} --inputs 1: {value[:300]!r}\n{why}")
    sys.exit(1 if failures else 0)


def failing(name: str, target: Target, seed: int, first: int, inputs: int) -> Iterator[tuple[int, bytes, str]]:
    """Yield the first failing inputs of each kind, each with its number and how it failed."""
    began = said = time.monotonic()
    kinds: Counter[str] = Counter()
    for number in range(first, first + inputs):
        value = target.input(seed, number)
        try:
            target.check(value)
        except Exception as error:  # noqa: BLE001  any error is a finding
            kind = f"{type(error).__name__} at line {traceback.extract_tb(error.__traceback__)[-1].lineno}"
            kinds[kind] += 1
            if kinds[kind] <= _SHOWN:
                yield number, value, "".join(traceback.format_exception(error))
        if time.monotonic() > said + _SAY_SECONDS:
            said = time.monotonic()
            click.echo(f"{name}: {number - first + 1:,} of {inputs:,} inputs, {kinds.total()} failures")
    seconds = time.monotonic() - began
    click.echo(f"{name}: {inputs:,} inputs in {seconds:.0f} s, {kinds.total()} failures {dict(kinds) or ''}")


if __name__ == "__main__":
    main()
