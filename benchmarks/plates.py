"""Plates for the matching benchmarks, from simulated vehicles: half of them lorries, half cars."""

from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from simulators import vehicles

# The goals of the benchmark are stated for these.
BATCH = 10_000
LISTED_SHARE = 0.001


class Plates(NamedTuple):
    """Canonical texts and the countries that issued them."""

    texts: list[str]
    countries: list[str | None]


def make(count: int, rng: Random) -> Plates:
    """Return plates of vehicles at random; a few come twice."""
    made = Plates([], [])
    for _ in range(count):
        plate = vehicles.make_vehicle("lorry" if rng.random() < 0.5 else "car", rng).front
        made.texts.append(plate.text)
        made.countries.append(plate.country)
    return made


def batch(listed: Plates, rng: Random, count: int = BATCH) -> Plates:
    """Return right reads, one in a thousand of them of a listed plate."""
    reads = make(count, rng)
    for at in range(count):
        if rng.random() < LISTED_SHARE:
            row = int(rng.random() * len(listed.texts))
            reads.texts[at], reads.countries[at] = listed.texts[row], listed.countries[row]
    # New strings, as from the network: Python has not computed their hashes yet.
    return Plates([fresh(text) for text in reads.texts], reads.countries)


def fresh(text: str) -> str:
    """Return an equal string that is another object."""
    return text.encode().decode()


def patterns(count: int, rng: Random) -> Sequence[str]:
    """Return patterns as witnesses give them: one or two characters missing, a beginning, an end, a middle."""
    made: dict[str, None] = {}
    while len(made) < count:
        text = list(make(1, rng).texts[0])
        kind, length = rng.random(), len(text)
        if kind < 0.4:
            for position in rng.sample(range(length), min(rng.choice((1, 1, 2)), length - 1)):
                text[position] = "?"
            made["".join(text)] = None
        elif kind < 0.6:
            made["".join(text[:5]) + "*"] = None
        elif kind < 0.75:
            made["*" + "".join(text[-5:])] = None
        elif kind < 0.85:
            made["".join(text[:3]) + "*" + "".join(text[-3:])] = None
        else:
            start = rng.randrange(max(length - 4, 1))
            made["*" + "".join(text[start : start + 5]) + "*"] = None
    return list(made)
