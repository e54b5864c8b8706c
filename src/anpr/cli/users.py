"""`anpr users`: who may sign in to the consoles."""

import sys
from pathlib import Path

import click
import msgspec

from anpr.cli import check_site, settings_of
from anpr.console.auth.permissions import ROLES
from anpr.console.auth.users_file import ALL_SITES, User, UsersFile, hash_password


@click.group(name="users")
def command() -> None:
    """Set who may sign in to the consoles.

    A person has a role and one or more sites.
    \b
    Example:
      anpr users add ann --role officer --site calais
    """


def _file(ctx: click.Context) -> UsersFile:
    return UsersFile(Path(settings_of(ctx).console.users_file).expanduser())


@command.command(name="add")
@click.argument("name")
@click.option("--role", type=click.Choice(list(ROLES)), required=True)
@click.option(
    "--site",
    "sites",
    multiple=True,
    required=True,
    help="A site, or * for all sites. Can be repeated.",
)
@click.option("--covert", is_flag=True, help="This person may see covert entries.")
@click.option("--password-stdin", is_flag=True, help="Read the password from stdin instead of asking twice.")
@click.pass_context
def add(  # noqa: PLR0913, PLR0917  click hands over one argument for each option
    ctx: click.Context, name: str, role: str, sites: tuple[str, ...], covert: bool, password_stdin: bool
) -> None:
    """Add a person who may sign in, or change one. A person who is changed must sign in again.

    The file holds argon2 hashes, never passwords. Running consoles apply the change immediately.

    \b
    Examples:
      anpr users add ann --role officer --site calais
      anpr users add sam --role supervisor --site '*' --covert
    """
    settings = settings_of(ctx)
    for site in sites:
        if site != ALL_SITES:
            check_site(settings, site)
    password = (
        sys.stdin.readline().rstrip("\n")
        if password_stdin
        else click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    )
    try:
        user = msgspec.convert(
            {"name": name, "role": role, "sites": sites, "covert": covert, "password_hash": hash_password(password)},
            User,
        )
    except msgspec.ValidationError:
        raise click.BadParameter("use 1 to 40 lower-case letters, digits, dots, hyphens", param_hint="NAME") from None
    _file(ctx).save(user)
    click.echo(f"{name} may sign in as {role} at {', '.join(sites)}", err=True)


@command.command(name="remove")
@click.argument("name")
@click.pass_context
def remove(ctx: click.Context, name: str) -> None:
    """Remove a person. Their sessions end immediately.

    \b
    Example:
      anpr users remove ann
    """
    if not _file(ctx).remove(name):
        click.echo(f"there is no user {name!r}", err=True)
        sys.exit(1)


@command.command(name="list")
@click.pass_context
def list_(ctx: click.Context) -> None:
    """Print all users as JSON lines, without the password hashes.

    \b
    Example:
      anpr users list
    """
    for user in _file(ctx).users().values():
        shown = {"name": user.name, "role": user.role, "sites": user.sites, "covert": user.covert}
        click.echo(msgspec.json.encode(shown))
