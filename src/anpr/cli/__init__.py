"""The command line: one file per subcommand, imported only when it is used."""

import importlib
import os
import sys
from pathlib import Path

import click

from anpr import logs
from anpr.errors import AnprError, InputError, ProgramError
from anpr.settings import Settings, load

# Subcommand → module of this package; each has a click command named `command`.
_COMMANDS = {
    "console": "console",
    "demo": "demo",
    "doctor": "doctor",
    "dry-run": "dry_run",
    "explain": "explain",
    "index": "index",
    "match": "match",
    "send": "send",
    "topics": "topics",
    "users": "users",
    "watch": "watch",
    "watchlist": "watchlist",
}


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  the interface of click
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        command = importlib.import_module(f"anpr.cli.{_COMMANDS[cmd_name]}").command
        return command if isinstance(command, click.Command) else None


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
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
    return load(folder, os.environ)


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
            f"a fault of the program: {type(error).__name__} at {logs.place(error)[-1]}",
            "start it again, and give the line above to those who mend the program",
        )
    logs.tell_end(end, sys.stderr)
    sys.exit(end.exit_code)
