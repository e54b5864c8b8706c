"""`anpr site-tokens`: the tokens by which sites know each other when they ask about a vehicle."""

import sys

import click
import msgspec

from anpr.cli import check_site, settings_of
from anpr.runtime.clock import system_clock
from anpr.runtime.site_tokens import SiteTokensFile, token_in

_LONGEST_TOKEN = 200


@click.group(name="site-tokens")
def command() -> None:
    """Set which sites may ask each other about a vehicle.

    The site that answers makes a token (`new`) and keeps its digest. The site that asks holds the token (`hold`).
    Each keeps its own in history.tokens_file, which only its owner may read. To rotate a token without a gap, make a
    second one, hold it at the asking site, then remove the first. Running services apply a change at once.

    \b
    Example, for a site's own console:
      anpr site-tokens new --site calais --for calais | anpr site-tokens hold
    """


def _file(ctx: click.Context) -> SiteTokensFile:
    return SiteTokensFile(settings_of(ctx).tokens_file)


@command.command(name="new")
@click.option("--site", "answering", required=True, help="The site that answers: a history of this machine.")
@click.option("--for", "asking", required=True, help="The site that may ask with the token.")
@click.pass_context
def new(ctx: click.Context, answering: str, asking: str) -> None:
    """Print a new token. It is printed only once: this machine keeps only its digest.

    Send it to the other site by a way that nobody else can read. Up to two tokens of a site are accepted at a time.

    \b
    Example, at Calais:
      anpr site-tokens new --site calais --for dover
    """
    settings = settings_of(ctx)
    for site in (answering, asking):
        check_site(settings, site)
    click.echo(_file(ctx).make(asking, answering, system_clock()))
    click.echo(f"{answering} accepts it from {asking}. At {asking}, give it to `anpr site-tokens hold`", err=True)


@command.command(name="hold")
@click.pass_context
def hold(ctx: click.Context) -> None:
    """Read a token from stdin, and ask with it from now on.

    It takes the place of an earlier token of the same two sites. A token is not an option, because other users of the
    machine can see the options of a command.

    \b
    Example, at Dover:
      anpr site-tokens hold < token-from-calais
    """
    text = sys.stdin.readline(_LONGEST_TOKEN).strip()
    named = token_in(text)
    for site in (named.asking, named.answering):
        check_site(settings_of(ctx), site)
    held = _file(ctx).hold(text)
    click.echo(f"{held.asking} asks {held.answering} with token {held.token_id}", err=True)


@command.command(name="list")
@click.pass_context
def list_(ctx: click.Context) -> None:
    """Print all tokens as JSON lines: their ids, never the tokens. A token has the same id at both sites.

    \b
    Example:
      anpr site-tokens list
    """
    tokens = _file(ctx).tokens()
    for accepted in tokens.accepted:
        pair = {"asking": accepted.asking, "answering": accepted.answering}
        line = {"token": "accepted", "id": accepted.token_id, **pair, "made_at": accepted.made_at}
        click.echo(msgspec.json.encode(line))
    for held in tokens.held:
        line = {"token": "held", "id": held.token_id, "asking": held.asking, "answering": held.answering}
        click.echo(msgspec.json.encode(line))


@command.command(name="remove")
@click.argument("token_id", metavar="ID")
@click.pass_context
def remove(ctx: click.Context, token_id: str) -> None:
    """Remove the token with this id. Nobody can ask with it from then on.

    This machine may accept the token or hold it.

    \b
    Example:
      anpr site-tokens remove 5b0f63d2
    """
    if not _file(ctx).remove(token_id):
        click.echo(f"there is no token {token_id!r}; `anpr site-tokens list` shows their ids", err=True)
        sys.exit(1)
