"""Pictures of plates as the cameras would take them: the true plate, with dirt, blur, tilt and darkness.

They show the plate that was there, whatever the recogniser read, so that people can recognise a misread. The same
latent quality decides how bad a picture is and how many errors of reading there are. The same plate and random
numbers give the same picture.
"""

import re
import tomllib
from functools import cache, lru_cache
from importlib import resources
from io import BytesIO
from random import Random
from typing import NamedTuple

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

from simulators.vehicles import Plate

WIDTH, HEIGHT = 300, 88
# The plate within the picture: 520 mm by 111 mm.
_PLATE = (18, 16, 282, 72)
_BAND = 24
_EU_BLUE, _STARS = "#0b2f9f", "#ffd617"
_BODIES = ("#3b3e42", "#59606a", "#7d2a2a", "#243b55", "#8f9499", "#20221f", "#4d5a3c")
_MUD = "#5b4a36"
_WORST_QUALITY = 5
_JPEG_QUALITY = 60


class Look(NamedTuple):
    """What a country's plates look like. `simulators/data/looks.toml` explains the fields."""

    sign: str
    band: str = "eu"
    front: str = "#f4f4f0"
    rear: str = "#f4f4f0"
    ink: str = "#111111"
    groups: str = ""
    joint: str = " "
    one_glyph: bool = False


def render(plate: Plate, position: str, quality: int, rng: Random) -> bytes:
    """Return the JPEG of a plate, of some 5 kB.

    `position` is front or rear. `quality` is from 0 (best) to 5, as `ocr.Recogniser.quality` draws it.
    """
    badness = quality / _WORST_QUALITY
    body = rng.choice(_BODIES)
    picture = _clean(plate, position, body).copy()
    _dirty(picture, badness, rng)
    lean = rng.uniform(-1, 1) * (0.02 + 0.05 * badness)
    shear = rng.uniform(-1, 1) * (0.03 + 0.12 * badness)
    # Sheared about the middle: the coefficients give the source position of each output pixel.
    coefficients = (1, shear, -shear * HEIGHT / 2, lean, 1, -lean * WIDTH / 2)
    picture = picture.transform(
        picture.size, Image.Transform.AFFINE, coefficients, Image.Resampling.BILINEAR, fillcolor=body
    )
    picture = picture.filter(ImageFilter.GaussianBlur(0.4 + rng.uniform(0.5, 1.0) * 1.9 * badness))
    light = 1.0 - rng.uniform(0.0, 0.3) - 0.3 * badness * rng.random()
    picture = picture.point([min(255, int(level * light)) for level in range(256)] * 3)
    grain = _grain().crop(_random_piece(rng))
    picture = ImageChops.add(picture, grain, offset=-128)
    written = BytesIO()
    picture.save(written, "JPEG", quality=_JPEG_QUALITY)
    return written.getvalue()


def written(plate: Plate) -> str:
    """Return the characters as they are written on the plate, in groups."""
    look = _look(plate.country)
    text = plate.text.translate(str.maketrans("01", "OI")) if look.one_glyph else plate.text
    found = re.fullmatch(look.groups, plate.text) if look.groups else None
    if found is None:
        lengths = [len(group) for group in re.findall("[A-Z]+|[0-9]+", plate.text)]
    else:
        lengths = [len(group) for group in found.groups() if group]
    parts = []
    for length in lengths:
        parts.append(text[:length])
        text = text[length:]
    return look.joint.join(parts)


@cache
def _looks() -> dict[str, Look]:
    file = resources.files("simulators") / "data" / "looks.toml"
    tables = tomllib.loads(file.read_text("utf-8"))
    return {country: Look(**{"sign": country, **table}) for country, table in tables.items()}


def _look(country: str | None) -> Look:
    if country is None:
        return Look("", band="none")
    return _looks().get(country, Look(country))


@lru_cache(maxsize=128)
def _clean(plate: Plate, position: str, body: str) -> Image.Image:
    """Return the plate on its vehicle in good light. Listed vehicles come again, so the last pictures are cached."""
    look = _look(plate.country)
    picture = Image.new("RGB", (WIDTH, HEIGHT), body)
    draw = ImageDraw.Draw(picture)
    left, top, right, bottom = _PLATE
    background = look.rear if position == "rear" else look.front
    draw.rounded_rectangle(_PLATE, 5, fill=background, outline="#222222", width=2)
    if look.band != "none":
        _draw_band(draw, left + 2, look)
        left += _BAND
    if look.band == "both":
        draw.rectangle((right - _BAND, top + 2, right - 2, bottom - 2), fill=_EU_BLUE)
        right -= _BAND
    text, room = written(plate), right - left - 14
    font = _font(42)
    if (width := font.getlength(text)) > room:
        font = _font(int(42 * room / width))
    middle = ((left + right) / 2, (top + bottom) / 2)
    draw.text(middle, text, font=font, fill=look.ink, anchor="mm", stroke_width=1)
    return picture


def _draw_band(draw: ImageDraw.ImageDraw, left: int, look: Look) -> None:
    _, top, _, bottom = _PLATE
    draw.rectangle((left, top + 2, left + _BAND - 2, bottom - 2), fill=_EU_BLUE)
    middle = left + _BAND / 2 - 1
    if look.band in ("eu", "both"):
        for across, down in ((0, -8), (7, -4), (7, 4), (0, 8), (-7, 4), (-7, -4)):
            x, y = middle + across, top + 18 + down
            draw.ellipse((x - 1.2, y - 1.2, x + 1.2, y + 1.2), fill=_STARS)
    draw.text((middle, bottom - 12), look.sign, font=_font(12), fill="white", anchor="mm")


def _dirty(picture: Image.Image, badness: float, rng: Random) -> None:
    """Add mud: a little on every plate, thin enough that a person can still read most plates."""
    mud = Image.new("L", picture.size, 0)
    draw = ImageDraw.Draw(mud)
    for _ in range(int(2 + 10 * badness * rng.random())):
        x, y = rng.uniform(0, WIDTH), rng.gauss(HEIGHT * 0.65, HEIGHT * 0.2)
        across, down = rng.uniform(3, 26), rng.uniform(2, 12)
        draw.ellipse((x - across, y - down, x + across, y + down), fill=int(rng.uniform(40, 90 + 90 * badness)))
    picture.paste(_MUD, mask=mud.filter(ImageFilter.BoxBlur(4)))


@cache
def _grain() -> Image.Image:
    """Return the sensor's noise, larger than a picture. Each picture uses a piece of it."""
    rng = Random("grain")
    size = (2 * WIDTH, 2 * HEIGHT)
    noise = Image.frombytes("L", size, bytes(int(rng.gauss(128, 9)) for _ in range(size[0] * size[1])))
    return Image.merge("RGB", (noise, noise, noise))


def _random_piece(rng: Random) -> tuple[int, int, int, int]:
    x, y = int(rng.random() * WIDTH), int(rng.random() * HEIGHT)
    return x, y, x + WIDTH, y + HEIGHT


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return Pillow's own font, so that the machine needs none."""
    return ImageFont.load_default(size)
