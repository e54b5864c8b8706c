"""Records a change of the watchlist in the audit chain of this machine's commands, before the watchlist changes."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Final

import msgspec

from anpr.audit.folders import open_chain
from anpr.audit.record import AuditEvent
from anpr.runtime.clock import system_clock
from anpr.runtime.settings import Settings
from anpr.watchlist.store.applied_change import Author
from anpr.watchlist.store.home import home_site

_ROLE: Final = "operator"


@contextmanager
def audited_change(  # noqa: PLR0913  each part of a record
    settings: Settings, list_name: str, why: str, author: Author, *, plate: str = "", covert: bool = False
) -> Iterator[None]:
    """Record that somebody changes a list; and, when the change fails, that they did not.

    `plate` and `covert` are those of a single entry. Raises UnavailableError when it cannot be recorded: then the
    list stays as it is.
    """
    event = _event("list change", why, author, {"list": list_name})
    with _audited(settings, msgspec.structs.replace(event, plate=plate, covert=covert)):
        yield


@contextmanager
def audited_calibration(
    settings: Settings, cameras: Sequence[tuple[str, str]], why: str, author: Author
) -> Iterator[None]:
    """Record that somebody changes the calibration of these cameras, as `audited_change` does of a list.

    A camera is given by its site and its name, which is "" for all cameras of the site.
    """
    names = ", ".join(f"{site} {camera}".strip() for site, camera in cameras)
    with _audited(settings, _event("calibration change", why, author, {"cameras": names})):
        yield


def _event(what: str, why: str, author: Author, details: dict[str, str]) -> AuditEvent:
    details = details | {"command": author.command}
    details |= {"file_sha256": author.file_sha256} if author.file_sha256 else {}
    return AuditEvent(operation="alteration", what=what, user=author.user, role=_ROLE, reason=why, details=details)


@contextmanager
def _audited(settings: Settings, event: AuditEvent) -> Iterator[None]:
    with closing(open_chain(settings, home_site(settings), "command", system_clock)) as chain:
        chain.append(event)
        try:
            yield
        except BaseException:
            chain.append(msgspec.structs.replace(event, what=f"{event.what} failed"))
            raise
