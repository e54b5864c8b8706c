"""Records a change of a list in the audit chain of this machine's commands, before the list changes."""

from collections.abc import Iterator
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
    details = {"list": list_name, "command": author.command} | (
        {"file_sha256": author.file_sha256} if author.file_sha256 else {}
    )
    event = AuditEvent(
        operation="alteration",
        what="list change",
        user=author.user,
        role=_ROLE,
        reason=why,
        plate=plate,
        covert=covert,
        details=details,
    )
    with closing(open_chain(settings, home_site(settings), "command", system_clock)) as chain:
        chain.append(event)
        try:
            yield
        except BaseException:
            chain.append(msgspec.structs.replace(event, what="list change failed"))
            raise
