"""A model of a whole site: what a load takes of one machine, and what is used up first. Pure.

It multiplies what was measured on one machine; nobody has run the larger loads. The numbers below are assumptions.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

_SECONDS_A_DAY: Final = 86_400
_GB: Final = 1e9


class Load(NamedTuple):
    """Traffic: the reads of a day, and how many come a second in its worst hour."""

    name: str
    reads_a_day: int
    peak_per_second: float


# The three ports: 24,000 vehicles on the busiest day, of 8 reads each. The UK's 90 million reads a day are of the
# cameras of all forces (APPG for Transport Safety, 2025); its worst hour is taken to be as far above its mean.
_PEAK_TIMES_MEAN: Final = 2.0
LOADS: Final = (
    Load("a peak day of the three ports", 190_000, 4.5),
    Load("the UK's 90 million reads a day", 90_000_000, 90_000_000 / _SECONDS_A_DAY * _PEAK_TIMES_MEAN),
    Load("ten times that", 900_000_000, 900_000_000 / _SECONDS_A_DAY * _PEAK_TIMES_MEAN),
)


class Measured(NamedTuple):
    """What a read takes: of a matcher and of the broker in microseconds of a core, and its bytes."""

    matcher_us: float
    broker_us: float
    bytes_a_read: float


class Machine(NamedTuple):
    """A machine of a port, and how it is used. A core is to be busy half of the time, so that queues stay short."""

    cores: int = 8
    busy_share: float = 0.5
    network_bytes_a_second: float = 125e6
    disk_bytes: float = 2e12
    partitions: int = 6
    replication: int = 3
    # The matchers, and two histories that each keep every read.
    readers: int = 3
    topic_days: float = 3
    sightings_days: float = 30
    # `python -m benchmarks history`, in SQLite.
    history_us: float = 44
    bytes_a_sighting: float = 590


MACHINE: Final = Machine()


class Need(NamedTuple):
    """What a load needs of a resource, in words and as a share of what there is of it."""

    words: str
    share: float


def needs(load: Load, measured: Measured, machine: Machine = MACHINE) -> dict[str, Need]:
    """Return what a load needs of each resource of a site that has one machine for each job."""

    def cores(us: float, limit: float) -> Need:
        busy = load.peak_per_second * us / 1e6
        return Need(f"{_rounded(busy)} cores", busy / (limit * machine.busy_share))

    def disk(size: float) -> Need:
        return Need(f"{_rounded(size / _GB)} GB", size / machine.disk_bytes)

    bytes_a_day = load.reads_a_day * measured.bytes_a_read
    sent = load.peak_per_second * measured.bytes_a_read * (machine.readers + machine.replication - 1)
    return {
        "matchers": cores(measured.matcher_us, min(machine.partitions, machine.cores)),
        "broker: cores": cores(measured.broker_us * machine.replication, machine.cores),
        "broker: network": Need(f"{_rounded(sent / 1e6)} MB a second", sent / machine.network_bytes_a_second),
        "broker: disk": disk(bytes_a_day * machine.topic_days),
        "history: its one process": cores(machine.history_us, 1),
        "history: disk": disk(load.reads_a_day * machine.bytes_a_sighting * machine.sightings_days),
    }


def _rounded(number: float) -> str:
    if number < 0.001:
        return "under 0.001"
    return f"{number:.2g}" if number < 99.5 else f"{number:,.0f}"  # without an exponent: people read it


def first_limit(found: Mapping[str, Need]) -> str:
    """Return the resource of which the greatest share is used."""
    return max(found, key=lambda name: found[name].share)
