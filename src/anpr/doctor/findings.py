"""What a check finds: one sentence, whether it is well, and where it is not, what to do."""

from collections.abc import Callable, Iterable

from msgspec import Struct


class Finding(Struct, frozen=True, kw_only=True):
    """One answer. `check` is what was tried (`kafka`, `redis`, …), `on` where: a site, an address or a folder.

    `state` is `well`, `wrong` (mend it) or `note` (worth knowing; may be meant so). `code` is a heading of
    docs/errors.md, empty where there is no more to say.
    """

    check: str
    on: str
    state: str
    says: str
    next_step: str = ""
    code: str = ""


Check = Callable[[], Iterable[Finding]]


def well(check: str, on: str, says: str) -> Finding:
    """Return that a thing is as it should be."""
    return Finding(check=check, on=on, state="well", says=says)


def wrong(check: str, on: str, says: str, next_step: str, code: str = "") -> Finding:
    """Return that a thing must be mended, and how."""
    return Finding(check=check, on=on, state="wrong", says=says, next_step=next_step, code=code)


def note(check: str, on: str, says: str, next_step: str = "") -> Finding:
    """Return what is worth knowing and may be meant so."""
    return Finding(check=check, on=on, state="note", says=says, next_step=next_step)
