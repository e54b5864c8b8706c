"""The benchmarks, each with the question that it answers.

Their figures are worth something only on a machine that does nothing else meanwhile.

\b
Examples:
  python -m benchmarks                            list them
  python -m benchmarks throughput --help          say what one measures, and its options
  python -m benchmarks throughput --quick --json  run one with small sizes, to see whether it works
"""

import ast
import copy
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import click

from benchmarks import saved

# By name: the values that `--quick` gives to the parameters of a benchmark.
BENCHMARKS: Final[Mapping[str, Mapping[str, Any]]] = {
    "back_check": {"sightings": 10_000, "counts": [10]},
    "board_memory": {"sizes": (0, 200)},
    "console": {"browsers": 50, "seconds": 2},
    "failover": {"crashes": 2},
    "history": {"sightings": 10_000, "look_ups": 20},
    "instead": {"entries": 2000, "days": 0.2},
    "latency": {"rates": [200], "entries": 2000, "seconds": 1, "rounds": 1},
    "list_change": {"entries": 20_000, "changes": 3, "loads": 1, "seconds": 2},
    "listed_later": {"sightings": 10_000, "listed": 2000, "counts": [10], "seconds": 0.2, "rounds": 1},
    "lists": {"count": 2000},
    "lookup": {"entries": 10_000},
    "matching": {"entries": 20_000},
    "quality": {"sizes": [2000], "days": 0.2},
    "scale": {"reads": 5000, "entries": 10_000, "rounds": 1, "most": 1},
    "screen": {"reads": 5},
    "sites": {"sightings": 2000, "look_ups": 10},
    "stages": {"sizes": [10_000], "batches": [1, 20], "reads": 5000, "rounds": 1},
    "throughput": {"reads": 10_000, "rounds": 1, "sizes": [10_000], "no_peers": True},
    "vehicle_search": {"sizes": [5000], "days": 3, "look_ups": 20},
    "withdrawal": {"entries": 20_000, "times": 3},
}


class Benchmarks(click.Group):
    """A command for each benchmark. A benchmark is imported only when it runs: some need much."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's own method
        """Return the names."""
        return list(BENCHMARKS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  as above
        """Return a benchmark that also takes `--quick` and `--save`."""
        if cmd_name not in BENCHMARKS:
            return None
        command = copy.copy(import_module(module(cmd_name)).main)
        command.params = [*command.params, _quick(BENCHMARKS[cmd_name]), _SAVE]
        command.callback = partial(_run, cmd_name, command.callback)
        return command  # type: ignore[no-any-return]  # each benchmark's `main` is a command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  as above
        """Write each question whole."""
        with formatter.section("Benchmarks"):
            formatter.write_dl([(name, question(name)) for name in BENCHMARKS])


def module(name: str) -> str:
    """Return the module of a benchmark."""
    return "benchmarks.quality.__main__" if name == "quality" else f"benchmarks.{name}"


def question(name: str) -> str:
    """Return the first line of a benchmark's own text."""
    file = (Path(__file__).parent.parent / module(name).replace(".", "/")).with_suffix(".py")
    text = ast.get_docstring(ast.parse(file.read_bytes())) or ""
    return text.partition("\n\n")[0].replace("\n", " ")


# Each benchmark takes `--json`; what it prints then is what is kept.
_SAVE: Final = click.Option(
    ["--save", "is_saved"],
    is_flag=True,
    help="Write the JSON to benchmarks/results/, with date, machine, load and versions.",
)


def _run(name: str, measure: Callable[..., object], *, is_saved: bool, **options: Any) -> None:
    if not is_saved:
        measure(**options)
        return
    context = click.get_current_context()
    paths = {option.name for option in context.command.params if isinstance(option.type, click.Path)}
    kept = {option: value for option, value in options.items() if option not in {*paths, "as_json"}}
    result = saved.measured(partial(measure, **options | {"as_json": True}), kept, is_quick=bool(context.default_map))
    click.echo(f"wrote benchmarks/results/{saved.write(name, result).name}", err=True)


def _quick(values: Mapping[str, Any]) -> click.Option:
    def set_defaults(ctx: click.Context, _: click.Parameter, is_quick: bool) -> None:  # noqa: FBT001  click passes it
        if is_quick:
            ctx.default_map = dict(values)

    return click.Option(
        ["--quick"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=set_defaults,
        help="Take small sizes, to see whether it works. The figures mean little.",
    )


@click.command(cls=Benchmarks, invoke_without_command=True, help=__doc__)
@click.pass_context
def main(ctx: click.Context) -> None:
    """Run a benchmark, or list them all."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


if __name__ == "__main__":
    main(prog_name="python -m benchmarks")
