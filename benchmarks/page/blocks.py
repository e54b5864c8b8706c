"""Blocks of a page that a program writes, between `<!-- name -->` and `<!-- /name -->`. The rest stays. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

_BLOCK: Final = re.compile(r"(<!-- ([a-z-]+) -->\n).*?(<!-- /\2 -->)", re.DOTALL)


def filled(page: str, blocks: Mapping[str, str]) -> str:
    """Return the page with these blocks in place of what was there. A block without a new text stays as it is."""
    return _BLOCK.sub(
        lambda found: f"{found[1]}{blocks[found[2]]}\n{found[3]}" if found[2] in blocks else found[0], page
    )


def table(head: Sequence[object], rows: Sequence[Sequence[object]]) -> str:
    """Return a table: the first column has words, the others have figures."""
    lines: list[Sequence[object]] = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)
