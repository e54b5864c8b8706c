"""The picture of pictures in the documentation: `python -m simulators.contact_sheet FILE.png`.

A plate of each of some countries, front and rear by turns, and below one plate from the best quality to the worst.
"""

import sys
from io import BytesIO
from pathlib import Path
from random import Random

from PIL import Image

from simulators import pictures, plates
from simulators.vehicles import Plate

_COUNTRIES = ("GB", "FR", "PL", "RO", "NL", "DE", "LT", "ES", "BE", "BG", "UA", "CH")
_ONE = Plate("WPI10471", "PL")
_COLUMNS = 4
_CELL = (225, 66)
# Few enough that the file is small, and the noise still looks like noise.
_COLOURS = 48


def draw(rng: Random) -> Image.Image:
    """Return the sheet."""
    cells = [
        pictures.render(Plate(plates.make(country, rng), country), ("rear", "front")[i % 2], i % 4, rng)
        for i, country in enumerate(_COUNTRIES)
    ]
    cells += [pictures.render(_ONE, "front", quality, rng) for quality in (0, 2, 4, 5)]
    rows = len(cells) // _COLUMNS
    sheet = Image.new("RGB", (_COLUMNS * _CELL[0], rows * _CELL[1]))
    for i, jpeg in enumerate(cells):
        row, column = divmod(i, _COLUMNS)
        sheet.paste(Image.open(BytesIO(jpeg)).resize(_CELL), (column * _CELL[0], row * _CELL[1]))
    return sheet.quantize(_COLOURS)


def main() -> None:
    """Write the sheet to the file that is named."""
    [target] = sys.argv[1:] or ["plates.png"]
    draw(Random("sheet")).save(Path(target), optimize=True)
    sys.stderr.write(f"wrote {target}\n")


if __name__ == "__main__":
    main()
