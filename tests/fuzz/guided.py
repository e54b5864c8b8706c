"""`python -m tests.fuzz.guided`: atheris looks for inputs that reach new code (pip install atheris).

It has wheels for Linux on x86-64 and recent versions of Python. It is none of the packages of this project: it takes
35 MB, for something that is done now and then.
"""

import sys
from pathlib import Path

import click

import anpr

EPILOG = """\b
Example:
  python -m tests.fuzz.guided --target csv --inputs 100_000 --seed 7
"""


@click.command(epilog=EPILOG, context_settings={"show_default": True})
@click.option("--target", required=True, help="As in `python -m tests.fuzz --help`.")
@click.option("--inputs", default="10_000", help="How many inputs the target gets.")
@click.option("--seed", default=1, type=int, help="Repeats an earlier run.")
def main(target: str, inputs: str, seed: int) -> None:
    """Fuzz one target, guided by coverage. It ends at the first failure, and writes the input to a file."""
    try:
        import atheris  # type: ignore[import-not-found, import-untyped, unused-ignore]  # noqa: PLC0415
    except ImportError:
        raise click.ClickException("atheris is not installed: pip install atheris") from None
    with atheris.instrument_imports(include=["anpr"], exclude=_not_watched()):
        from tests.fuzz.targets import TARGETS  # noqa: PLC0415  what is imported here is watched

    if target not in TARGETS:
        raise click.UsageError(f"no target {target!r}; there are {', '.join(TARGETS)}")
    atheris.Setup([sys.argv[0], f"-runs={int(inputs)}", f"-seed={seed}", "-max_len=4096"], TARGETS[target].check)
    atheris.Fuzz()


def _not_watched() -> list[str]:
    """Return the modules of the engine by name: what Numba compiles cannot be watched."""
    source = Path(anpr.__file__).parent.parent
    files = (source / "anpr" / "matching").rglob("*.py")
    return [".".join(file.relative_to(source).with_suffix("").parts) for file in files]


if __name__ == "__main__":
    main()
