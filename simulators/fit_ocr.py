"""Fit the OCR error model to the measured reads: `python -m simulators.fit_ocr` writes `data/ocr_model.json`.

Errors are not spread evenly: most reads are perfect and a few are ruined. So the model is based on *damage*: the
number of edits in a read, without swaps of 0/O and 1/I. Its distribution is counted in bands of `severity`, the
latent quality that all frames of one plate share. The kind of edit, its position in the plate and the resulting
character are counted separately for slight damage (1 or 2 edits) and for heavy damage (3 or more), which leaves
little of the plate. Swaps of one glyph come at any quality, in whole runs (00 is read OO), and depend on whether
letters or digits stand around.

A read of fewer than four characters counts as `lost`: it has nothing to do with the plate.
"""

import csv
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

from simulators.alignment import Step, align
from simulators.ocr import DAMAGED, HEAVY_FROM, LOST, SHORTEST, glyph_runs, grade, part

# Upper bounds of the bands of severity. Below 0.5 severity hardly matters; above, each tenth counts.
BANDS = (0.5, 0.6, 0.7, 0.8, 0.9, 1.01)
# More edits than this are counted as this many.
_MOST_EDITS = 7
# The model keeps quantiles of the confidence in equal steps, both ends included.
_QUANTILES = 20
# The rate of a rare context is drawn towards its character's mean, as if it had been seen this many times more at it.
_PRIOR_READS = 5


class Sample(NamedTuple):
    """One measured read: the true plate, the text read, how bad the picture was, and the engine's confidence."""

    country: str
    plate: str
    read: str
    severity: float
    confidence: float


def samples() -> list[Sample]:
    """Return the measured reads of `data/rapidocr.csv`."""
    with (_data() / "rapidocr.csv").open(encoding="utf-8", newline="") as file:
        return [
            Sample(row["country"], row["plate"], row["read"], float(row["severity"]), float(row["confidence"]))
            for row in csv.DictReader(file)
        ]


def fit(measured: Iterable[Sample]) -> dict[str, Any]:
    """Return the model as in the file: counts and rates, ready for JSON."""
    bands: list[Counter[str]] = [Counter() for _ in BANDS]
    confidences: defaultdict[str, list[float]] = defaultdict(list)
    lost: list[str] = []
    readable: list[tuple[Sample, list[Step], int]] = []
    for sample in measured:
        steps = align(sample.plate, sample.read)
        damage = min(_MOST_EDITS, sum(step.kind in DAMAGED for step in steps))
        outcome = LOST if len(sample.read) < SHORTEST else str(damage)
        bands[next(i for i, below in enumerate(BANDS) if sample.severity < below)][outcome] += 1
        if outcome == LOST:
            lost.append(sample.read)
            confidences[LOST].append(sample.confidence)
        else:
            readable.append((sample, steps, damage))
            swapped = any(step.kind == "swapped" for step in steps)
            confidences[grade(damage, swapped=swapped)].append(sample.confidence)
    damaged = [(steps, damage) for _, steps, damage in readable if damage]
    return {
        "bands": [{"below": below, "outcomes": _sorted(band)} for below, band in zip(BANDS, bands, strict=True)],
        "edits": _edits(damaged),
        "confusions": {
            "slight": _confusions(steps for steps, damage in damaged if damage < HEAVY_FROM),
            "heavy": _confusions(steps for steps, damage in damaged if damage >= HEAVY_FROM),
        },
        "swaps": {
            "clean": _swaps((sample.plate, steps) for sample, steps, damage in readable if not damage),
            "damaged": _swaps((sample.plate, steps) for sample, steps, damage in readable if damage),
        },
        "lost": {
            "lengths": _sorted(Counter(str(len(text)) for text in lost)),
            "characters": _sorted(Counter("".join(lost))),
        },
        "confidence": {name: _quantiles(values) for name, values in sorted(confidences.items())},
    }


def _edits(damaged: list[tuple[list[Step], int]]) -> dict[str, Any]:
    """Count the kinds of edits by damage, and how much more likely each is at the ends of a plate than on average."""
    kinds: defaultdict[str, Counter[str]] = defaultdict(Counter)
    positions: dict[str, Counter[str]] = {kind: Counter() for kind in DAMAGED}
    exposed: dict[str, Counter[str]] = {"characters": Counter(), "gaps": Counter()}
    for steps, damage in damaged:
        length = sum(bool(step.true) for step in steps)
        exposed["characters"].update(part(position, length - 1) for position in range(length))
        exposed["gaps"].update(part(gap, length) for gap in range(length + 1))
        for step in steps:
            if step.kind in DAMAGED:
                kinds[str(damage)][step.kind] += 1
                positions[step.kind][part(step.position, length if step.kind == "inserted" else length - 1)] += 1
    return {
        "kinds": {damage: _sorted(counts) for damage, counts in sorted(kinds.items())},
        "places": {
            kind: _relative(counts, exposed["gaps" if kind == "inserted" else "characters"])
            for kind, counts in positions.items()
        },
    }


def _confusions(alignments: Iterable[list[Step]]) -> dict[str, Any]:
    """Count what each character became, and how often it was on a plate that was read."""
    seen: Counter[str] = Counter()
    became: defaultdict[str, Counter[str]] = defaultdict(Counter)
    deleted: Counter[str] = Counter()
    inserted: Counter[str] = Counter()
    for step in (step for steps in alignments for step in steps):
        if step.true:
            seen[step.true] += 1
        if step.kind == "substituted":
            became[step.true][step.read] += 1
        elif step.kind == "deleted":
            deleted[step.true] += 1
        elif step.kind == "inserted":
            inserted[step.read] += 1
    return {
        "seen": _sorted(seen),
        "became": {true: _sorted(counts) for true, counts in sorted(became.items())},
        "deleted": _sorted(deleted),
        "inserted": _sorted(inserted),
    }


def _swaps(aligned: Iterable[tuple[str, list[Step]]]) -> dict[str, dict[str, float]]:
    """Return how often a run of 0 and 1, or of O and I, is read as its twins, by run and by context."""
    seen: defaultdict[str, Counter[str]] = defaultdict(Counter)
    swapped: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for plate, steps in aligned:
        kinds = {step.position: step.kind for step in steps if step.true}
        for run in glyph_runs(plate):
            found = {kinds[position] for position in range(run.start, run.end)}
            if found <= {"kept", "swapped"}:
                seen[run.text][run.context] += 1
                swapped[run.text][run.context] += "swapped" in found
    rates: dict[str, dict[str, float]] = {}
    for text, counts in sorted(seen.items()):
        mean = swapped[text].total() / counts.total()
        rates[text] = {
            context: round((swapped[text][context] + mean * _PRIOR_READS) / (count + _PRIOR_READS), 5)
            for context, count in sorted(counts.items())
        } | {"mean": round(mean, 5)}
    return rates


def _relative(counts: Counter[str], exposed: Counter[str]) -> dict[str, float]:
    mean = counts.total() / exposed.total()
    return {name: round(counts[name] / exposed[name] / mean, 4) for name in sorted(exposed)}


def _quantiles(values: list[float]) -> list[float]:
    ordered = sorted(values)
    return [ordered[i * (len(ordered) - 1) // _QUANTILES] for i in range(_QUANTILES + 1)]


def _sorted(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items()))


def _data() -> Path:
    return Path(str(resources.files("simulators") / "data"))


def _lines(model: dict[str, Any]) -> Iterator[str]:
    """Yield one line for each inner table, so that a diff shows how the fit has changed."""
    yield "{"
    for i, (name, value) in enumerate(model.items()):
        end = "" if i == len(model) - 1 else ","
        items = value.items() if isinstance(value, dict) else [(None, inner) for inner in value]
        rows = [(f"{json.dumps(key)}: " if key else "") + json.dumps(inner) for key, inner in items]
        opened, closed = "{}" if isinstance(value, dict) else "[]"
        yield f" {json.dumps(name)}: {opened}\n  " + ",\n  ".join(rows) + f"\n {closed}{end}"
    yield "}"


def main() -> None:
    """Fit and write the committed table."""
    target = _data() / "ocr_model.json"
    target.write_text("\n".join(_lines(fit(samples()))) + "\n", encoding="utf-8")
    sys.stderr.write(f"wrote {target.name}\n")


if __name__ == "__main__":
    main()
