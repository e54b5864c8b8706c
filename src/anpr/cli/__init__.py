"""The command line: one file per subcommand, imported only when it is used."""

import os
import sys
from pathlib import Path

import click

from anpr.cli.lazy import LazyGroup
from anpr.runtime import logs
from anpr.runtime.errors import AnprError, InputError, ProgramError
from anpr.runtime.settings import Settings
from anpr.runtime.settings_files import load_settings

_COMMANDS = (
    "arrivals",
    "console",
    "demo",
    "doctor",
    "dry-run",
    "explain",
    "index",
    "match",
    "send",
    "topics",
    "users",
    "watch",
    "watchlist",
)


@click.group(
    cls=LazyGroup,
    package=__name__,
    subcommands=_COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.option(
    "--config",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="ANPR_CONFIG",
    default=Path("config"),
    show_default=True,
    help="The folder with anpr.toml and sites.toml.",
)
@click.pass_context
def _anpr(ctx: click.Context, config: Path) -> None:
    """Number-plate watchlist alerts for the UK controls at Calais, Coquelles and Dunkerque.

    Results go to stdout as JSON lines where a program may read them, words and progress to stderr. Exit codes:
    0 done, 1 the answer is no, 2 wrong usage or unusable input, 3 a server cannot be reached or a disk refuses,
    4 a fault of the program.
    """
    ctx.obj = config


def settings_of(ctx: click.Context) -> Settings:
    """Return the settings in the configuration folder named on the command line."""
    folder: Path = ctx.obj
    return load_settings(folder, os.environ)


def check_site(settings: Settings, site: str) -> str:
    """Return the site if it is configured. Raises InputError naming those that are."""
    if site not in settings.sites:
        raise InputError(
            "site-unknown",
            f"{site!r} is not a configured site; there are {', '.join(settings.sites)}",
            "name one of these, or add the site to sites.toml",
        )
    return site


def main() -> None:
    """Run the command line. What goes wrong is told in words with the next step, never by a traceback."""
    logs.configure(sys.stderr)
    try:
        _anpr(prog_name="anpr")
    except AnprError as error:
        end = error
    except Exception as error:  # noqa: BLE001  nothing is above this; its words may quote a plate, so only its place
        logs.get_logger(__name__).error("internal fault", exc_info=error)
        end = ProgramError(
            "internal-fault",
            f"a fault of the program: {type(error).__name__} at {logs.location(error)[-1]}",
            "start it again, and give the line above to those who mend the program",
        )
    logs.report_end(end, sys.stderr)
    sys.exit(end.exit_code)
