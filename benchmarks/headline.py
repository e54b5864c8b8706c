"""Runs the headline benchmarks one after the other, keeps what they measure, and writes the page: `make bench`.

    python -m benchmarks.headline

A benchmark that fails, for instance because packages of a peer cannot be fetched, does not stop the others.
"""

import subprocess
import sys
import time
from typing import Final

import click

from benchmarks.page import __main__ as page

# Less than alone, so that all together take ten to fifteen minutes on two cores.
OPTIONS: Final = {"throughput": ("--reads", "300000", "--rounds", "3"), "stages": ("--reads", "100000")}


@click.command()
def main() -> None:
    """Run the headline benchmarks, keep their results and write docs/benchmarks.md.

    That takes ten to fifteen minutes on an idle machine. Exits with 1 if one has failed.
    """
    failed = []
    for name in page.HEADLINE:
        arguments = [name, *OPTIONS.get(name, ()), "--save"]
        print(f"{name} …", file=sys.stderr)
        began = time.monotonic()
        done = subprocess.run([sys.executable, "-m", "benchmarks", *arguments], check=False)  # noqa: S603  this program
        failed += [name] if done.returncode else []
        print(f"{name} took {(time.monotonic() - began) / 60:.1f} minutes", file=sys.stderr)
    page.main()
    if failed:
        raise SystemExit(f"failed, their earlier results stay on the page: {', '.join(failed)}")


if __name__ == "__main__":
    main()
