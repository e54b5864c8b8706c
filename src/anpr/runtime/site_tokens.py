"""The tokens by which sites know each other when they ask for sightings, in a file that only its owner may read.

The answering site makes a token for one asking site, keeps its SHA-256 digest (`accepted`), and gives the token to
that site, which holds it (`held`). So nobody can ask with what an answering site has on its disk, and a site cannot
ask a third site with a token that was shown to it. It is 256 random bits: its plain digest cannot be guessed.

Two tokens of a pair of sites are accepted at a time. To rotate without a gap, make the second, let the asking site
hold it, then remove the first.
"""

import hashlib
import re
import secrets
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
from msgspec import Struct

from anpr.runtime.atomic_file import write_atomically
from anpr.runtime.errors import InputError

MOST_ACCEPTED: Final = 2
_OPEN_TO_OTHERS: Final = 0o077
# The names are in the text, so that a token cannot end up with another site by mistake.
_TOKEN = re.compile(r"([a-z0-9-]{1,40})\.([a-z0-9-]{1,40})\.[A-Za-z0-9_-]{43}", re.ASCII)


class AcceptedToken(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A token with which `asking` may ask `answering`: its digest, in hexadecimal digits, and when it was made."""

    asking: str
    answering: str
    digest: str
    made_at: datetime

    @property
    def token_id(self) -> str:
        """What people call it, the same at both sites."""
        return self.digest[:8]


class HeldToken(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A token with which `asking`, a site of this machine, asks `answering`."""

    asking: str
    answering: str
    token: str

    @property
    def token_id(self) -> str:
        """What people call it, the same at both sites."""
        return _digest(self.token)[:8]


class SiteTokens(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the file holds."""

    accepted: tuple[AcceptedToken, ...] = ()
    held: tuple[HeldToken, ...] = ()


class _Stamp(NamedTuple):
    changed_ns: int
    inode: int


class SiteTokensFile:
    """The file of tokens. A missing file holds none; a change applies at once in every service of the machine."""

    def __init__(self, path: Path) -> None:
        """Use the file at `path`."""
        self.path = path
        self._stamp: _Stamp | None = None
        self._tokens = SiteTokens()

    def tokens(self) -> SiteTokens:
        """Return all tokens. Raises InputError that names the fault of a file that cannot be used."""
        try:
            stat = self.path.stat()
            stamp = _Stamp(stat.st_mtime_ns, stat.st_ino)
            if stat.st_mode & _OPEN_TO_OTHERS:
                raise InputError(
                    "site-tokens-open",
                    f"other users of this machine may read {self.path}",
                    f"run `chmod 600 {self.path}`, and make new tokens if somebody may have read these",
                )
            if self._stamp != stamp:
                self._tokens, self._stamp = self._read(), stamp
        except FileNotFoundError:
            self._tokens, self._stamp = SiteTokens(), None
        except OSError as error:
            raise self._unusable(error.strerror or str(error)) from None
        return self._tokens

    def asking_site(self, answering: str, presented: str) -> str | None:
        """Return which site asks with this token; None for a token that this site does not accept.

        Every accepted token is compared, each in constant time.
        """
        digest = _digest(presented)
        asking = None
        for accepted in self.tokens().accepted:
            is_same = secrets.compare_digest(accepted.digest, digest)
            if is_same and accepted.answering == answering:
                asking = accepted.asking
        return asking

    def token_for(self, asking: str, answering: str) -> str | None:
        """Return the token with which `asking` asks `answering`, None when this machine holds none."""
        pairs = ((held.asking, held.answering, held.token) for held in self.tokens().held)
        return next((token for a, b, token in pairs if (a, b) == (asking, answering)), None)

    def make(self, asking: str, answering: str, now: datetime) -> str:
        """Accept a new token from `asking` at `answering`, and return it. It is stored nowhere."""
        tokens = self.tokens()
        known = [one for one in tokens.accepted if (one.asking, one.answering) == (asking, answering)]
        if len(known) >= MOST_ACCEPTED:
            raise InputError(
                "site-tokens-two",
                f"{answering} accepts two tokens of {asking} already: {', '.join(one.token_id for one in known)}",
                "remove the one that is no longer held, with `anpr site-tokens remove`",
            )
        token = f"{asking}.{answering}.{secrets.token_urlsafe(32)}"
        accepted = AcceptedToken(asking=asking, answering=answering, digest=_digest(token), made_at=now)
        self._write(SiteTokens(accepted=(*tokens.accepted, accepted), held=tokens.held))
        return token

    def hold(self, text: str) -> HeldToken:
        """Hold a token from now on, in place of an earlier one of the same sites. Raises InputError."""
        held, tokens = token_in(text), self.tokens()
        others = [one for one in tokens.held if (one.asking, one.answering) != (held.asking, held.answering)]
        self._write(SiteTokens(accepted=tokens.accepted, held=(*others, held)))
        return held

    def remove(self, token_id: str) -> bool:
        """Remove the token with this id, accepted or held; return whether there was one."""
        tokens = self.tokens()
        left = SiteTokens(
            accepted=tuple(one for one in tokens.accepted if one.token_id != token_id),
            held=tuple(one for one in tokens.held if one.token_id != token_id),
        )
        if left == tokens:
            return False
        self._write(left)
        return True

    def _read(self) -> SiteTokens:
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=SiteTokens)
        except (msgspec.DecodeError, UnicodeDecodeError):  # its text may quote a token
            raise self._unusable("it is not a file of tokens") from None

    def _write(self, tokens: SiteTokens) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_atomically(self.path, msgspec.json.format(msgspec.json.encode(tokens)))
        except OSError as error:
            raise self._unusable(error.strerror or str(error)) from None

    def _unusable(self, why: str) -> InputError:
        return InputError(
            "site-tokens-unusable",
            f"{self.path}: {why}",
            "correct the file that history.tokens_file names, or move it away and make new tokens",
        )


def token_in(text: str) -> HeldToken:
    """Return the token that a text is, with the names of its sites. Raises InputError."""
    match = _TOKEN.fullmatch(text)
    if match is None:
        raise InputError(
            "site-token-malformed",
            "this is no token of `anpr site-tokens new`",
            "copy the whole line that the answering site's command printed",
        )
    return HeldToken(asking=match[1], answering=match[2], token=text)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
