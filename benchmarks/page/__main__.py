"""Writes the blocks of docs/benchmarks.md and README.md, and the plots, from the kept results.

python -m benchmarks.page
"""

from pathlib import Path
from typing import Final

from benchmarks import saved
from benchmarks.page.blocks import filled
from benchmarks.page.plots import Result, draw
from benchmarks.page.tables import blocks

HEADLINE: Final = ("throughput", "latency", "stages", "scale")
ROOT: Final = Path(__file__).parents[2]
PAGES: Final = (ROOT / "docs" / "benchmarks.md", ROOT / "README.md")
PLOTS: Final = ROOT / "docs" / "benchmarks"


def kept() -> dict[str, Result]:
    """Return the results that there are of the headline set."""
    return {name: result for name in HEADLINE if (result := saved.read(name)) is not None}


def main() -> None:
    """Write the pages and the plots."""
    results = kept()
    for page in PAGES:
        page.write_text(filled(page.read_text("utf-8"), blocks(results)), "utf-8")
    draw(PLOTS, results)


if __name__ == "__main__":
    main()
