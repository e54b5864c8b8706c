"""The command line: one file per subcommand, imported only when it is used."""

import errno
import os
import sys
from pathlib import Path

import click

from anpr.cli.lazy import LazyGroup
from anpr.runtime import logs
from anpr.runtime.errors import AnprError, InputError, ProgramError, UnavailableError
from anpr.runtime.settings import Settings
from anpr.runtime.settings_files import load_settings

_DISK_IS_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_COMMANDS = {
    "arrivals": "Show which listed vehicles a ferry or shuttle brings.",
    "audit": "Verify the audit chains of a site, and export what they hold.",
    "back-check": "Look for newly listed vehicles among those that have passed.",
    "calibration": "Learn, apply, view and remove calibrations of cameras.",
    "compile": "Compile the matching code for this machine.",
    "console": "Serve the officers' pages of a site.",
    "demo": "Run the whole system on this machine, with simulated traffic.",
    "doctor": "Check everything that the configuration names.",
    "dry-run": "Match a file of reads against a list and print the alerts.",
    "explain": "Show why a plate as READ matches a plate as LISTED, or not.",
    "history": "Keep every read of a site, so that it can be looked up later.",
    "index": "Keep the index of the watchlist on this machine's disk.",
    "match": "Match every read of a site against the watchlist.",
    "meet": "Look for the vehicles that are expected at a port.",
    "send": "Publish READS, a file of JSON lines, as reads of a site.",
    "site-tokens": "Set which sites may ask each other about a vehicle.",
    "topics": "Compare the topics on each broker with the settings.",
    "users": "Set who may sign in to the consoles.",
    "vehicle": "Show where the vehicle with PLATE was seen, at every port.",
    "watch": "Show the incidents of all ports live, the most urgent first.",
    "watchlist": "Plan, apply, view and undo changes of lists.",
}


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

    Add --help to a command for examples. Results for programs go to stdout as JSON lines. Messages and progress go to
    stderr.

    \b
    Exit codes:
      0  done
      1  done, and the answer is no, or some of the input could not be used
      2  wrong usage, or unusable input
      3  a server cannot be reached, or a disk refuses
      4  a fault of the program
    """
    ctx.obj = config


def settings_of(ctx: click.Context) -> Settings:
    """Return the settings from the configuration folder named on the command line."""
    folder: Path = ctx.obj
    return load_settings(folder, os.environ)


def check_site(settings: Settings, site: str) -> str:
    """Return the site if it is configured. Otherwise raises an InputError that names the configured sites."""
    if site not in settings.sites:
        raise InputError(
            "site-unknown",
            f"{site!r} is not a configured site; the configured sites are {', '.join(settings.sites)}",
            "name one of these sites, or add the site to sites.toml",
        )
    return site


def main() -> None:
    """Run the command line. Report every error as a message with a next step, never as a traceback."""
    logs.configure(sys.stderr)
    try:
        _anpr(prog_name="anpr")
    except Exception as error:  # noqa: BLE001  the outermost handler; the message may quote a plate, so log only the location
        end = _as_shown(error)
    logs.report_end(end, sys.stderr)
    sys.exit(end.exit_code)


def _as_shown(error: Exception) -> AnprError:
    """Return the error that a person is shown for one that ended a command."""
    if isinstance(error, AnprError):
        return error
    if isinstance(error, OSError) and error.errno in _DISK_IS_FULL:
        name = error.filename or _output_file()
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left of the output goes nowhere
        return UnavailableError(
            "disk-full",
            f"{name} cannot be written: {error.strerror}. What is there of it is not whole",
            "free space on the disk, or write to another one, and run the command again",
        )
    logs.get_logger(__name__).error("internal fault", exc_info=error)
    return ProgramError(
        "internal-fault",
        f"a fault of the program: {type(error).__name__} at {logs.location(error)[-1]}",
        "start the command again, and send the line above to the developers",
    )


def _output_file() -> str:
    """Return the name of the file that gets the results, as far as there is one."""
    file = Path(f"/proc/self/fd/{sys.stdout.fileno()}").readlink()
    return str(file) if file.is_file() else "a file"
