"""Keeps what runs have measured, a file for each benchmark in `benchmarks/results/`: the option `--save` writes it.

A file says when, on what machine and with which versions; never the machine's name, nor a path.
"""

import json
import os
import platform
import re
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from datetime import UTC, datetime
from importlib.metadata import version
from io import StringIO
from pathlib import Path
from typing import Any, Final

from anpr.local import kafka_jars

FOLDER: Final = Path(__file__).parent / "results"
_PEERS: Final = Path(__file__).parent / "peers"
_PACKAGES: Final = ("confluent-kafka", "hdrhistogram", "llvmlite", "msgspec", "numba", "numpy")


def measured(measure: Callable[[], object], options: Mapping[str, Any], *, is_quick: bool) -> dict[str, Any]:
    """Run a benchmark that prints JSON, and return what it prints with all that explains it."""
    began, load, printed = datetime.now(UTC), os.getloadavg()[0], StringIO()
    with redirect_stdout(printed):
        measure()
    figures = documents(printed.getvalue())
    return {
        "date": began.date().isoformat(),
        "seconds": round((datetime.now(UTC) - began).total_seconds()),
        "is_quick": is_quick,
        "options": dict(options),
        "load": {"before": round(load, 1), "after": round(os.getloadavg()[0], 1)},
        "machine": machine(),
        "versions": versions(),
        "figures": figures[0] if len(figures) == 1 else figures,
    }


def documents(text: str) -> list[Any]:
    """Return the JSON values of a text, one after the other. Raises ValueError for anything else."""
    found, decoder = [], json.JSONDecoder()
    while text := text.lstrip():
        value, end = decoder.raw_decode(text)
        found.append(value)
        text = text[end:]
    return found


def machine() -> dict[str, object]:
    """Return what decides the speed of this machine."""
    processors = re.findall(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text("utf-8"), re.MULTILINE)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": processors[0] if processors else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(memory / 2**30),
        "system": platform.system(),
    }


def versions() -> dict[str, str]:
    """Return the versions of what the benchmarks run."""
    found = {"python": platform.python_version(), "kafka": kafka_jars.VERSION}
    found |= {name: version(name) for name in _PACKAGES}
    locks = "\n".join(lock.read_text("utf-8") for lock in _PEERS.glob("*.lock"))
    return found | dict(re.findall(r"^(aiokafka|bytewax|quixstreams)==(\S+)", locks, re.MULTILINE))


def write(name: str, result: Mapping[str, Any], folder: Path = FOLDER) -> Path:
    """Write the result of a benchmark in place of an earlier one, and return the file."""
    file = folder / f"{name}.json"
    file.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return file


def read(name: str, folder: Path = FOLDER) -> dict[str, Any] | None:
    """Return the last result of a benchmark, None where there is none."""
    file = folder / f"{name}.json"
    return dict(json.loads(file.read_bytes())) if file.exists() else None
