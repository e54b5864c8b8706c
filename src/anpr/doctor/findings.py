"""The findings of a check: a sentence, a state, and the next step when something is wrong."""

from collections.abc import Callable, Iterable

from msgspec import Struct, field


class Finding(Struct, frozen=True, kw_only=True):
    """One finding. `check` names the kind of check (`kafka`, `redis`, …), `subject` a site, an address or a folder.

    `state` is `well`, `wrong` (correct it) or `note` (worth knowing, and perhaps intended). `code` is a heading of
    docs/errors.md, "" when that page has no more to explain.
    """

    check: str
    subject: str = field(name="on")
    state: str
    message: str = field(name="says")
    next_step: str = ""
    code: str = ""


Check = Callable[[], Iterable[Finding]]


def well(check: str, subject: str, message: str) -> Finding:
    """Return a finding that all is well."""
    return Finding(check=check, subject=subject, state="well", message=message)


def wrong(check: str, subject: str, message: str, next_step: str, code: str = "") -> Finding:
    """Return a finding that something is wrong, with the step that corrects it."""
    return Finding(check=check, subject=subject, state="wrong", message=message, next_step=next_step, code=code)


def note(check: str, subject: str, message: str, next_step: str = "") -> Finding:
    """Return a finding that is worth knowing and perhaps intended."""
    return Finding(check=check, subject=subject, state="note", message=message, next_step=next_step)
