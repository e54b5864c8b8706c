"""Draws as much of a view as a screen has room for. Only rich knows how many lines a drawing takes."""

import io
from collections.abc import Mapping

from rich.console import Console, RenderableType

from anpr.runtime.settings import Site
from anpr.terminal.view import View, draw

# An incident hardly ever takes more lines than this.
_MOST_LINES = 4


def draw_to_fit(view: View, sites: Mapping[str, Site], width: int, height: int) -> RenderableType:
    """Draw the view with as many of the most urgent incidents as fit on a screen. One is drawn in any case."""
    screen = Console(width=width, file=io.StringIO())
    rows = max(1, height)
    while True:
        picture = draw(view, sites, rows, width)
        too_many = len(screen.render_lines(picture)) - height
        if too_many <= 0 or rows == 1:
            return picture
        # Each incident takes two lines or more on a narrow screen, one or more on a wide one.
        rows = max(1, min(rows, len(view.incidents)) - max(1, too_many // _MOST_LINES))
