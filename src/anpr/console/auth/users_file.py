"""The file of users who may sign in, with roles and argon2 hashes. `anpr users` writes it; consoles read changes."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import argon2
import msgspec
from msgspec import Meta, Struct

from anpr.console.auth import permissions
from anpr.runtime.atomic_file import write_atomically
from anpr.runtime.errors import InputError, UnavailableError
from anpr.runtime.logs import get_logger

log = get_logger(__name__)

ALL_SITES = "*"
MIN_PASSWORD_CHARACTERS = 12
MAX_PASSWORD_CHARACTERS = 256

# A hash takes 64 MiB and three passes over it (RFC 9106, second recommendation): a fifth of a second for a guess.
_hasher = argon2.PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=4, hash_len=32, salt_len=16)
# Checked for unknown names, so that the time of the answer does not tell which names exist. It has the costs of the
# hasher above. Written down, because computing it takes as long as a sign-in at every start of the command line.
DUMMY_HASH = "$argon2id$v=19$m=65536,t=3,p=4$jh9JP/dqnoUgSluVdkp1Rg$ImY3zTxMk1EXSRnC9jGdUcYcGNDn/ndnwUW7gb14nBo"


class User(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person who may sign in. `sites` names the sites whose consoles let them in; `*` means all."""

    name: Annotated[str, Meta(pattern="^[a-z0-9._-]{1,40}$")]
    role: str
    sites: tuple[str, ...] = ()
    covert: bool = False
    password_hash: str = ""

    def belongs_to(self, site: str) -> bool:
        """Tell whether the user works at this site."""
        return site in self.sites or ALL_SITES in self.sites

    @property
    def stamp(self) -> str:
        """A digest that changes with anything about the user, including the password."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()


class UsersFile:
    """The users file. A missing file names nobody."""

    def __init__(self, path: Path) -> None:
        """Use the file at `path`."""
        self.path = path
        self._stamp: tuple[int, int] | None = None
        self._spoilt_stamp: tuple[int, int] | None = None
        self._users: dict[str, User] = {}

    def users(self) -> dict[str, User]:
        """Return all users, by name. Raises InputError that names the fault of a file that cannot be used.

        A service that has read the file before goes on with the users of then, and logs the fault once.
        """
        try:
            stat = self.path.stat()
            stamp = (stat.st_mtime_ns, stat.st_ino)
            if stamp not in {self._stamp, self._spoilt_stamp}:
                self._users, self._stamp = self._read(), stamp
        except FileNotFoundError:
            self._users, self._stamp = {}, None
        except OSError as error:
            raise _unusable(f"{self.path}: {error.strerror or error}") from None
        except InputError as error:
            if self._stamp is None:
                raise
            self._spoilt_stamp = stamp
            log.error("the users file cannot be used, its last users count", code=error.code)  # noqa: TRY400  no trace
        return self._users

    def save(self, user: User) -> None:
        """Add a user, or replace the user of that name.

        Raises InputError for a file that cannot be used, UnavailableError where the disk refuses.
        """
        self._write({**self._current(), user.name: user})

    def remove(self, name: str) -> bool:
        """Remove a user; return whether the file named them. Raises what `save` raises."""
        users = self._current()
        is_named = users.pop(name, None) is not None
        if is_named:
            self._write(users)
        return is_named

    def check_password(self, name: str, password: str) -> User | None:
        """Return the user if the password is right. An unknown name takes as long."""
        user = self.users().get(name)
        try:
            _hasher.verify(user.password_hash if user else DUMMY_HASH, password[:MAX_PASSWORD_CHARACTERS])
        except argon2.exceptions.VerificationError:
            return None
        except argon2.exceptions.InvalidHashError:
            raise _unusable(f"{self.path}: the password hash of {name!r} is not valid") from None
        return user

    def _current(self) -> dict[str, User]:
        """Return the users in the file as it is now: what is written must not bring former ones back."""
        return self._read() if self.path.exists() else {}

    def _read(self) -> dict[str, User]:
        try:
            users = msgspec.json.decode(self.path.read_bytes(), type=list[User])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise _unusable(f"{self.path}: {error}") from None
        for user in users:
            if user.role not in permissions.ROLES:
                raise _unusable(
                    f"{self.path}: {user.name}: role {user.role!r} is not one of {', '.join(permissions.ROLES)}"
                )
        return {user.name: user for user in users}

    def _write(self, users: dict[str, User]) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            content = msgspec.json.encode([users[name] for name in sorted(users)])
            write_atomically(self.path, msgspec.json.format(content))
        except OSError as error:
            raise UnavailableError(
                "users-file-unwritable",
                f"{self.path} cannot be written: {error.strerror or error}. Its users are as they were",
                "free space on the disk, or let this user write in the folder",
            ) from None


def hash_password(password: str) -> str:
    """Return the argon2 hash of a password. Raises InputError when it is too short or too long."""
    if not MIN_PASSWORD_CHARACTERS <= len(password) <= MAX_PASSWORD_CHARACTERS:
        raise InputError(
            "password-unusable",
            f"a password has {MIN_PASSWORD_CHARACTERS} to {MAX_PASSWORD_CHARACTERS} characters",
            "three or four random words make a good one",
        )
    return _hasher.hash(password)


def _unusable(message: str) -> InputError:
    return InputError("users-file-unusable", message, "correct the file, or move it away and use `anpr users add`")


def colleagues_at(
    site: str, users: Iterable[User], *, is_covert: bool, permission: str = permissions.ACT
) -> frozenset[str]:
    """Return who has a permission on an incident at a site: for a covert one, only users who may see it.

    Without a permission: who can be handed the incident.
    """
    return frozenset(
        user.name
        for user in users
        if user.belongs_to(site)
        and permissions.has_permission(user.role, permission)
        and (user.covert or not is_covert)
    )
