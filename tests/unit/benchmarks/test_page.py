"""The page of benchmarks and the README say what the kept results say."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.loops.staged import STAGES
from benchmarks.page.__main__ import PAGES, PLOTS, kept
from benchmarks.page.blocks import filled, table
from benchmarks.page.plots import draw
from benchmarks.page.tables import blocks, faster, latency

ONE = {"median": 1.0, "low": 1.0, "high": 1.0}


def loop(name: str, cpu_us: float) -> dict[str, Any]:
    return {"name": name, "cpu_us": cpu_us}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_says_what_was_measured(page: Path) -> None:
    text = page.read_text("utf-8")
    assert filled(text, blocks(kept())) == text, "run `python -m benchmarks.page`"


def test_every_block_has_a_place_on_a_page() -> None:
    text = "".join(page.read_text("utf-8") for page in PAGES)
    assert all(f"<!-- {name} -->" in text for name in blocks(kept()))


def test_every_plot_that_a_page_shows_is_there() -> None:
    assert {plot.stem for plot in PLOTS.glob("*.svg")} <= set(kept())
    for name in {"throughput", "latency", "stages"} & set(kept()):
        assert (PLOTS / f"{name}.svg").is_file()


@given(st.text(max_size=20).filter(lambda text: "<!--" not in text))
def test_only_the_block_changes(text: str) -> None:
    page = "before\n<!-- a -->\nold\n<!-- /a -->\nbetween\n<!-- b -->\nkept\n<!-- /b -->\nafter\n"
    changed = filled(page, {"a": text})
    assert changed == page.replace("old", text)
    assert filled(changed, {"a": text}) == changed


def test_a_table_has_its_words_on_the_left_and_its_figures_on_the_right() -> None:
    assert table(["", "us"], [["a loop", 1.5]]) == "|  | us |\n| --- | --: |\n| a loop | 1.5 |"


def test_who_is_faster_is_said_first() -> None:
    others = [loop("hand 10k", 2), loop("quix 10k", 9), loop("bytewax 10k", 12)]
    assert faster([loop("bare", 1), *others, loop("matcher 10k tolerant", 6)]) == (
        "**Others are faster.** This is the processor time for a read. With 10,000 entries the matcher takes 3.0 "
        "times as much as a loop of a few lines; Quix Streams takes 1.5 times as much as the matcher, Bytewax 2.0 "
        "times."
    )


def test_when_nobody_is_faster_nobody_is_said_to_be() -> None:
    said = faster([loop("hand 1M", 8), loop("matcher 1M tolerant", 4)])
    assert said == (
        "This is the processor time for a read. With 1 million entries a loop of a few lines takes 2.0 times as much "
        "as the matcher."
    )


def test_a_loop_that_costs_the_same_is_said_to_take_about_as_much() -> None:
    said = faster([loop("redis 1M", 4.1), loop("matcher 1M tolerant", 4)])
    assert "that loop asking Redis takes about as much as the matcher" in said


def test_a_rate_that_the_sender_could_not_keep_has_no_ratios() -> None:
    percentiles = {"p50": 1.0, "p99": 10.0, "max": 20.0}
    rate = {"reads_per_second": 9, "changed_a_second": 0, "alert_ms": percentiles, "echo_ms": percentiles}
    ratios = {"p50_times_echo": ONE, "p99_times_echo": ONE}
    in_time, late = (latency({"rows": [{**rate, **ratios, "sender_late_p99_ms": ms}]}) for ms in (5, 6))
    assert "1.00 (1.00 to 1.00)" in in_time
    assert "1.00 (1.00 to 1.00)" not in late


def test_a_run_of_any_sizes_can_be_drawn(tmp_path: Path) -> None:
    row = {"name": "matcher 5 near", "times_hand": ONE, "cpu_us": 1, "rss_mb": 1}
    percentiles = dict.fromkeys(("p50", "p99", "max"), 1.0)
    rate = {"reads_per_second": 7, "alert_ms": percentiles, "echo_ms": percentiles}
    stage = {"entries": 3, "tolerance": "near", "batch": 1, "stages_us": dict.fromkeys(STAGES, 1.0)}
    results = {
        "throughput": {"figures": {"rows": [row]}},
        "latency": {"figures": {"rows": [{**rate, "changed_a_second": changed} for changed in (0, 900)]}},
        "stages": {"figures": {"rows": [stage]}},
    }
    draw(tmp_path, results)
    assert sorted(path.stem for path in tmp_path.iterdir()) == sorted(results)
