"""The kept results as pictures."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl

mpl.use("svg")
from matplotlib import pyplot as plt

Result = Mapping[str, Any]
_OWN, _OTHERS = "#1d70b8", "#b1b4b6"
_STAGES: Final = ("#003078", "#1d70b8", "#5694ca", "#28a197", "#85994b", "#f47738", "#b1b4b6", "#ffdd00")


def draw(folder: Path, results: Mapping[str, Result]) -> None:
    """Draw what there are results for."""
    folder.mkdir(parents=True, exist_ok=True)
    mpl.rcParams.update({"svg.hashsalt": "benchmarks", "svg.fonttype": "none", "font.size": 9})
    for name, picture in (("throughput", throughput), ("latency", latency), ("stages", stages)):
        if name in results:
            figure = picture(results[name]["figures"])
            figure.tight_layout()
            figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
            plt.close(figure)


def throughput(figures: Mapping[str, Any]) -> Any:
    """Draw how many times the loop of a few lines each loop costs."""
    rows = [of for of in figures["rows"] if "times_hand" in of][::-1]
    figure, at = plt.subplots(figsize=(7, 0.35 * len(rows) + 1))
    medians = [of["times_hand"]["median"] for of in rows]
    around = [[of["times_hand"][end] for of in rows] for end in ("low", "high")]
    errors = [[abs(end - middle) for end, middle in zip(ends, medians, strict=True)] for ends in around]
    colours = [_OWN if of["name"].startswith("matcher") else _OTHERS for of in rows]
    at.barh([of["name"] for of in rows], medians, xerr=errors, color=colours, ecolor="black")
    at.axvline(1, color="black", linewidth=0.8)
    at.set_xlabel("processor time a read, times the loop of a few lines on the same list (less is better)")
    return figure


def latency(figures: Mapping[str, Any]) -> Any:
    """Draw the percentiles of alerts and echoes by rate, at rest and while the list changes."""
    states = [[of for of in figures["rows"] if bool(of["changed_a_second"]) is changes] for changes in (False, True)]
    figure, axes = plt.subplots(1, 2, figsize=(8, 3.2), sharey=True)
    for at, rows, title in zip(axes, states, ("the list rests", "1,000 entries change a second"), strict=True):
        rates = [f"{of['reads_per_second']:,g}" for of in rows]
        for of_whom, colour in (("alert_ms", _OWN), ("echo_ms", "#505a5f")):
            for share, style in (("p50", "-o"), ("p99", "--s")):
                label = f"{of_whom.removesuffix('_ms')}, {share}"
                at.plot(rates, [of[of_whom][share] for of in rows], style, color=colour, label=label, markersize=4)
        at.set(yscale="log", title=title, xlabel="reads a second")
        at.grid(visible=True, alpha=0.3)
    axes[0].set_ylabel("ms since a read was due")
    axes[0].legend(fontsize=7)
    return figure


def stages(figures: Mapping[str, Any]) -> Any:
    """Draw the cost of a read by stage: a panel for each size of batch, a bar for each list."""
    batches = sorted({of["batch"] for of in figures["rows"]})
    figure, axes = plt.subplots(1, len(batches), figsize=(2.4 * len(batches), 3.2), squeeze=False)
    for at, batch in zip(axes[0], batches, strict=True):
        rows = [of for of in figures["rows"] if of["batch"] == batch]
        _stack(at, rows)
        at.set_title(f"{batch:,} a batch")
    axes[0][0].set_ylabel("processor time a read, µs")
    handles, labels = axes[0][0].get_legend_handles_labels()
    axes[0][-1].legend(handles[::-1], labels[::-1], fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def _stack(at: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    names = [f"{of['entries']:,}\n{of['tolerance']}" for of in rows]
    bottom = [0.0] * len(rows)
    for stage, colour in zip(rows[0]["stages_us"], _STAGES, strict=False):  # earlier results have fewer
        heights = [of["stages_us"][stage] for of in rows]
        at.bar(names, heights, bottom=bottom, color=colour, label=stage)
        bottom = [below + height for below, height in zip(bottom, heights, strict=True)]
