"""What the subcommands share: the site, and errors of a folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from anpr.cli import check_site
from anpr.runtime.errors import UnavailableError
from anpr.runtime.settings import Settings

site_option = click.option("--site", help="The site whose chains are meant.  [default: the first in sites.toml]")


def site_or_first(settings: Settings, site: str | None) -> str:
    """Return the named site, or the first of all. Raises InputError for one that is not configured."""
    return check_site(settings, site or next(iter(settings.sites)))


@contextmanager
def readable(folder: Path) -> Iterator[None]:
    """Raise the errors of reading a folder as UnavailableError."""
    try:
        yield
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise UnavailableError(
            "audit-unreadable",
            f"the audit chains in {folder} cannot be read: {reason or error}",
            "name a folder with audit chains that this user may read",
        ) from None
