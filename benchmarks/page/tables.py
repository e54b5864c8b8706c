"""The kept results as tables and sentences. Pure."""

from collections.abc import Mapping, Sequence
from itertools import chain, repeat
from typing import Any, Final

from benchmarks.page.blocks import table

Result = Mapping[str, Any]

_LOOPS: Final = {
    "bare": "reading the topic and doing nothing",
    "hand": "a loop of a few lines: an exact look-up in a Python set",
    "aiokafka": "the same loop with aiokafka",
    "quix": "the same loop in Quix Streams",
    "bytewax": "the same loop in Bytewax",
    "redis": "the same loop, asking Redis (`SMISMEMBER`)",
    "matcher": "**the matcher**",
}
# The same loops within a sentence.
_NAMED: Final = {
    "hand": "a loop of a few lines",
    "aiokafka": "that loop with aiokafka",
    "quix": "Quix Streams",
    "bytewax": "Bytewax",
    "redis": "that loop asking Redis",
}
_TIERS: Final = {"tolerant": "confusable characters too", "near": "near misreads too"}


def blocks(results: Mapping[str, Result]) -> dict[str, str]:
    """Return the blocks for the results that there are."""
    made = {
        "throughput": lambda of: {"headline": headline(of), "throughput": throughput(of["figures"])},
        "latency": lambda of: {"latency": latency(of["figures"])},
        "stages": lambda of: {"stages": stages(of["figures"])},
        "scale": lambda of: {"scale": scale(of["figures"]), "model": model(of["figures"])},
    }
    found = {
        name: text
        for benchmark in made
        if benchmark in results
        for name, text in made[benchmark](results[benchmark]).items()
    }
    return found | ({"about": about(results)} if results else {})


def about(results: Mapping[str, Result]) -> str:
    """Return where, when and under what load the results were measured."""
    rows: list[list[object]] = [
        [
            f"`{name}`",
            of["date"],
            f"{of['seconds'] / 60:.0f} min",
            f"{of['load']['before']:g} → {of['load']['after']:g}",
            f"{of['machine']['processor']}, {of['machine']['cores']} cores, {of['machine']['memory_gb']} GB",
        ]
        for name, of in results.items()
    ]
    versions = max(results.values(), key=lambda of: str(of["date"]))["versions"]
    named = ", ".join(f"{name} {version}" for name, version in versions.items())
    return f"{table(['run', 'date', 'took', 'load', 'machine'], rows)}\n\nVersions: {named}."


def headline(of: Result) -> str:
    """Return who is faster, then the table of the README, and under what load it was measured."""
    load, cores = of["load"], of["machine"]["cores"]
    where = f"On {cores} cores, {of['date']}, at load {load['before']:g} to {load['after']:g}. Compare the ratios."
    return f"{faster(of['figures']['rows'])}\n\n{throughput(of['figures'])} {where}"


def faster(rows: Sequence[Mapping[str, Any]]) -> str:
    """Say first which loops take less of a core than the matcher on the same list, then which take more."""
    costs = {tuple(str(of["name"]).split()): float(of["cpu_us"]) for of in rows}
    said = [_faster(of[1], us, costs) for of, us in costs.items() if of[0] == "matcher" and of[2] == "tolerant"]
    is_slower = any("the matcher takes" in of for of in said)
    others = ["**Others are faster.**"] if is_slower else []
    return " ".join([*others, "This is the processor time for a read.", *said])


def _faster(label: str, own: float, costs: Mapping[tuple[str, ...], float]) -> str:
    times = {loop: own / us for (loop, *of_list), us in costs.items() if of_list == [label] and loop in _NAMED}
    less = [f"{of:.1f} times as much as {_NAMED[loop]}" for loop, of in times.items() if of > 1]
    dearer = {_NAMED[loop]: _times(1 / of) for loop, of in times.items() if of <= 1}
    takes = chain([" takes {} as much as the matcher"], repeat(" {}"))  # said once, of the first
    more = [loop + said.format(of) for (loop, of), said in zip(dearer.items(), takes, strict=False)]
    clauses = [f"the matcher takes {', '.join(less)}"] if less else []
    clauses += [", ".join(more)] if more else []
    return f"With {_entries(label)} {'; '.join(clauses)}."


def _times(factor: float) -> str:
    return f"{factor:.1f} times" if factor >= 1.05 else "about"


def throughput(figures: Mapping[str, Any]) -> str:
    """Return the costs of a read in each loop."""
    rows: list[list[object]] = []
    for of in figures["rows"]:
        times = (
            "1" if str(of["name"]).startswith("hand") else interval(of["times_hand"]) if "times_hand" in of else ""
        )
        rows.append([_name(of["name"]), times, of["cpu_us"], f"{of['rss_mb']:,}"])
    runs = (
        f"{figures['reads']:,} reads, {figures['listed']:,} of them of listed vehicles; {figures['rounds']} rounds."
    )
    return table(["", "times the loop of a few lines (95 %)", "CPU µs a read", "memory MB"], rows) + f"\n\n{runs}"


def latency(figures: Mapping[str, Any]) -> str:
    """Return the latencies of each rate beside the echo."""
    rows: list[list[object]] = [
        [
            f"{of['reads_per_second']:,g}",
            f"{of['changed_a_second']:,}" if of["changed_a_second"] else "none",
            *_times_echo(of),
            *(f"{of['alert_ms'][share]:.1f} ({of['echo_ms'][share]:.1f})" for share in ("p50", "p99", "max")),
            f"{of['sender_late_p99_ms']:g}",
        ]
        for of in figures["rows"]
    ]
    head = ["reads a second", "entries changed a second", "p50, times the echo (95 %)", "p99, times the echo (95 %)"]
    return table([*head, "p50 ms (echo)", "p99 ms (echo)", "longest ms (echo)", "sender late, p99 ms"], rows)


def _times_echo(of: Mapping[str, Any]) -> list[str]:
    """Return both ratios, where the sender was in time: else the latencies are mostly its own."""
    if of["sender_late_p99_ms"] > of["echo_ms"]["p99"] / 2:
        return ["the sender was late"] * 2
    return [interval(of["p50_times_echo"]), interval(of["p99_times_echo"])]


def stages(figures: Mapping[str, Any]) -> str:
    """Return the cost of a read by list, batch and stage."""
    names = list(figures["rows"][0]["stages_us"])
    rows: list[list[object]] = [
        [
            f"{of['entries']:,}, {_TIERS[of['tolerance']]}",
            f"{of['batch']:,}",
            interval(of["times_largest_batch"]),
            f"{of['cpu_us']:.1f}",
            *(f"{of['stages_us'][name]:.1f}" for name in names),
        ]
        for of in figures["rows"]
    ]
    return table(["entries", "reads a batch", "times the largest batch (95 %)", "CPU µs a read", *names], rows)


def scale(figures: Mapping[str, Any]) -> str:
    """Return what several matchers do."""
    rows: list[list[object]] = [
        [of["matchers"], interval(of["times_one"]), of["cpu_us"], f"{of['reads_per_second']:,}"]
        for of in figures["rows"]
    ]
    return table(["matchers", "times the reads of one (95 %)", "CPU µs a read", "reads a second"], rows)


def model(figures: Mapping[str, Any]) -> str:
    """Return what the loads would need, and what is used up first."""
    loads = figures["model"]
    head = ["", *(f"{of['load']}: {of['peak_per_second']:,} reads a second in the worst hour" for of in loads)]
    rows: list[list[object]] = [
        [name, *(f"{of['needs'][name]['words']}, {_percent(of['needs'][name]['share'])}" for of in loads)]
        for name in loads[0]["needs"]
    ]
    rows.append(["**first limit**", *(f"**{of['first_limit']}**" for of in loads)])
    return table(head, rows)


def interval(of: Mapping[str, float]) -> str:
    """Return a median with its interval."""
    return f"{of['median']:.2f} ({of['low']:.2f} to {of['high']:.2f})"


def _name(name: str) -> str:
    loop, *of_list = name.split()
    entries = f", {_entries(of_list[0])}" if of_list else ""
    tier = f", {_TIERS[of_list[1]]}" if len(of_list) > 1 else ""
    return _LOOPS[loop] + entries + tier


def _entries(label: str) -> str:
    return f"{label.replace('k', ',000').replace('M', ' million')} entries"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.095 else f"{100 * share:.1g} %"
