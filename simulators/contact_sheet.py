"""The sheet of plate pictures in the documentation: `python -m simulators.contact_sheet FILE.png`.

It shows plates of several countries, front and rear in turn. The last row is one plate from the best quality to the
worst.
"""

import sys
from io import BytesIO
from pathlib import Path
from random import Random

from PIL import Image

from simulators import plate_pictures, plate_syntax
from simulators.vehicles import Plate

_COUNTRIES = ("GB", "FR", "PL", "RO", "NL", "DE", "LT", "ES", "BE", "BG", "UA", "CH")
_SAMPLE = Plate("WPI10471", "PL")
_COLUMNS = 4
_CELL = (225, 66)
# Few enough for a small file, and enough that noise looks like noise.
_COLOURS = 48


def draw(rng: Random) -> Image.Image:
    """Return the sheet."""
    cells = [
        plate_pictures.render(
            Plate(plate_syntax.make_plate(country, rng), country), ("rear", "front")[i % 2], i % 4, rng
        )
        for i, country in enumerate(_COUNTRIES)
    ]
    cells += [plate_pictures.render(_SAMPLE, "front", quality, rng) for quality in (0, 2, 4, 5)]
    rows = len(cells) // _COLUMNS
    sheet = Image.new("RGB", (_COLUMNS * _CELL[0], rows * _CELL[1]))
    for i, jpeg in enumerate(cells):
        row, column = divmod(i, _COLUMNS)
        sheet.paste(Image.open(BytesIO(jpeg)).resize(_CELL), (column * _CELL[0], row * _CELL[1]))
    return sheet.quantize(_COLOURS)


def main() -> None:
    """Write the sheet to the named file."""
    [target] = sys.argv[1:] or ["plates.png"]
    draw(Random("sheet")).save(Path(target), optimize=True)
    sys.stderr.write(f"wrote {target}\n")


if __name__ == "__main__":
    main()
