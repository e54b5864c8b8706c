"""Why a site gave no answer, in the words that an officer reads."""

import socket
import ssl
from collections.abc import Iterator
from typing import Final

import httpx

from anpr.contracts.sightings_api import Problem

NO_HISTORY: Final = "has no history service"
NO_TOKEN: Final = "this machine holds no token for it; `anpr site-tokens` says how to get one"  # noqa: S105  it is none
UNREADABLE: Final = "its answer cannot be read; the sites run different versions of this program"
NOT_ITS_OWN: Final = "its answer holds what no history of that site can hold"
TOO_LONG: Final = "its answer is too long"
_OTHER_VERSION: Final = "does not know this question; it runs another version of this program"
_MOST_CHARACTERS: Final = 300

_BY_STATUS: Final = {
    400: _OTHER_VERSION,
    401: "does not accept this site's token; it may have been removed there",
    403: "refuses: this site's token is for another site",
    404: _OTHER_VERSION,
    405: _OTHER_VERSION,
    413: "refuses the question as too long",
}

# The errors that lead to one of the HTTP client, the most telling first.
_BY_ERROR: Final = (
    (ssl.SSLCertVerificationError, "its certificate is not accepted: "),
    (ssl.SSLError, "no TLS connection; another program or plain HTTP may be at its address"),
    (ConnectionRefusedError, "refuses the connection; its history service may be stopped"),
    (socket.gaierror, "the name in its address is not known here"),
    (httpx.ConnectError, "cannot be reached; the network may be cut"),
    (httpx.ProtocolError, "the program at its address is not a history service"),
)


def too_slow(seconds: float) -> str:
    """Return the words for a site that did not answer in time."""
    return f"did not answer within {seconds:g} s"


def answered_as(site: str) -> str:
    """Return the words for an address at which another site answers."""
    return f"its address in sites.toml leads to {shown(site)}"


def of_refusal(status: int, problem: Problem | None, retry_after: str) -> str:
    """Return the words for an answer with an HTTP status other than 200."""
    if status == 429:
        wait = f"; ask again in {retry_after} s" if retry_after.isdecimal() and len(retry_after) < 6 else ""
        return f"was asked too often{wait}"
    if status == 503:
        code = problem.code if problem is not None else ""
        return f"cannot answer now: {_unavailable(code)}"
    if status == 422 and problem is not None:
        return f"refuses the question: {shown(problem.title)}"
    return _BY_STATUS.get(status, f"answered with the HTTP status {status}")


def _unavailable(code: str) -> str:
    if code.startswith("audit-"):
        return "its audit cannot be written"
    if code.startswith("site-tokens-"):
        return "its file of tokens cannot be read"
    return "its history cannot be read"


def of_error(error: httpx.HTTPError, seconds: float) -> str:
    """Return the words for a request that got no answer."""
    if isinstance(error, httpx.TimeoutException):
        return too_slow(seconds)
    causes = list(_causes(error))
    for kind, words in _BY_ERROR:
        for cause in causes:
            if isinstance(cause, kind):
                reason = cause.verify_message if isinstance(cause, ssl.SSLCertVerificationError) else ""
                return words + shown(reason)
    return "ended the connection before it answered"


def shown(text: str) -> str:
    """Return a text of somebody else as it may be shown: on one line, of printable characters, not long."""
    return "".join(letter if letter.isprintable() else " " for letter in text[:_MOST_CHARACTERS])


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and those that led to it, those inside a group too."""
    waiting: list[BaseException] = [error]
    seen: set[int] = set()
    while waiting:
        cause = waiting.pop(0)
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        waiting += [one for one in (cause.__cause__, cause.__context__) if one is not None]
        waiting += cause.exceptions if isinstance(cause, BaseExceptionGroup) else ()
