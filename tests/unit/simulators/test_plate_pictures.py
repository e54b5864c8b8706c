"""Pictures show the plate that was there, as its country makes it, in a few kilobytes."""

import json
from datetime import UTC, datetime, timedelta
from io import BytesIO
from itertools import islice
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner
from PIL import Image

from anpr.runtime.images import ImageStore
from anpr.runtime.settings_files import load_settings
from simulators import contact_sheet, plate_pictures, plate_syntax
from simulators.cameras import lanes
from simulators.cli import main
from simulators.photographer import Photographer
from simulators.traffic import Listed, Sighting, traffic
from simulators.vehicles import Plate

ROOT = Path(__file__).parents[3]
SITES = load_settings(ROOT / "config", {}).sites
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
BRITISH = Plate("AB12CDE", "GB")


def opened(jpeg: bytes) -> Image.Image:
    return Image.open(BytesIO(jpeg))


@pytest.mark.parametrize("country", [*plate_syntax.COUNTRIES, None])
def test_a_picture_of_any_plate_at_any_quality_is_a_small_jpeg(country: str | None) -> None:
    rng = Random(1)
    for quality in range(6):
        for position in ("front", "rear"):
            text = plate_syntax.make_plate(country or "PL", rng, trailer=position == "rear")
            jpeg = plate_pictures.render(Plate(text, country), position, quality, rng)
            picture = opened(jpeg)
            assert (picture.format, picture.size) == ("JPEG", (plate_pictures.WIDTH, plate_pictures.HEIGHT))
            assert len(jpeg) < 10_000


def test_the_same_plate_and_random_numbers_give_the_same_picture() -> None:
    assert plate_pictures.render(BRITISH, "rear", 3, Random(1)) == plate_pictures.render(
        BRITISH, "rear", 3, Random(1)
    )


def yellowness(jpeg: bytes) -> float:
    """Return by how much red exceeds blue in the middle of the picture, on average."""
    red, _, blue = opened(jpeg).crop((60, 26, 240, 62)).resize((1, 1)).tobytes()
    return red - blue


def test_a_british_plate_is_yellow_behind_and_white_in_front() -> None:
    assert yellowness(plate_pictures.render(BRITISH, "rear", 0, Random(1))) > 60
    assert abs(yellowness(plate_pictures.render(BRITISH, "front", 0, Random(1)))) < 30


def darkness_of_characters(jpeg: bytes) -> float:
    """Return the contrast by which a person reads: the darkest tenth of the middle against the brightest."""
    levels = sorted(opened(jpeg).convert("L").crop((60, 30, 240, 58)).tobytes())
    return levels[-len(levels) // 10] - levels[len(levels) // 10]


def test_the_worse_the_quality_the_harder_a_plate_is_to_read() -> None:
    rng = Random(1)
    contrast = [
        sum(darkness_of_characters(plate_pictures.render(BRITISH, "front", quality, rng)) for _ in range(30))
        for quality in (0, 3, 5)
    ]
    assert contrast[0] > contrast[1] > contrast[2] > 0


@pytest.mark.parametrize(
    ("plate", "written"),
    [
        (("AB12CDE", "GB"), "ABI2 CDE"),
        (("YO10OIL", "GB"), "YOIO OIL"),
        (("AAA999A", "GB"), "AAA 999A"),
        (("AIG1234", "GB"), "AIG I234"),
        (("WPI10471", "PL"), "WPI 10471"),
        (("PO7SY80", "PL"), "PO 7SY80"),
        (("HHOI1010", "DE"), "HH OI 1010"),
        (("12ABCD", "NL"), "12-AB-CD"),
        (("10BKD1", "NL"), "10-BKD-1"),
        (("TQ789GF", "FR"), "TQ-789-GF"),
        (("131D12345", "IE"), "131-D-12345"),
        (("W76067I", "AT"), "W 76067I"),
        (("A99K987", "BA"), "A99-K-987"),
        (("HHOI1010", None), "HHOI 1010"),
    ],
)
def test_characters_are_grouped_as_on_the_plate(plate: tuple[str, str | None], written: str) -> None:
    assert plate_pictures.written(Plate(*plate)) == written


def some_traffic() -> list[Sighting]:
    listed = Listed((BRITISH,), (BRITISH,), share=0.2)
    return list(islice(traffic("calais", lanes(SITES["calais"]), 7, at_s=28_800, listed=listed), 1500))


@pytest.mark.parametrize("whose", ["listed", "all"])
def test_a_picture_is_of_the_plate_that_was_there_whatever_was_read(tmp_path: Path, whose: str) -> None:
    store = ImageStore(tmp_path, timedelta(days=36_500))
    photographer = Photographer(store, whose)
    sightings = some_traffic()[: 300 if whose == "all" else None]
    taken = [photographer.picture(sighting, NOON) for sighting in sightings]
    of_camera: dict[tuple[str, str], set[str]] = {}
    misread = 0
    for sighting, pictured in zip(sightings, taken, strict=True):
        if not (whose == "all" or sighting.vehicle_pass.vehicle.listed):
            assert pictured == sighting
            continue
        image, read = pictured.read.image or "", sighting.read
        again = Random(f"{read.pass_id} {read.camera}")
        expected = plate_pictures.render(sighting.true_plate, read.position or "", sighting.quality, again)
        assert store.get(image, "calais", NOON) == expected
        of_camera.setdefault((str(read.pass_id), read.camera), set()).add(image)
        misread += sighting.true_plate.text not in read.plate.upper().replace(" ", "").replace("-", "")
    assert misread > 0
    assert all(len(images) == 1 for images in of_camera.values())
    assert len(set().union(*of_camera.values())) == len(of_camera)


def test_pictures_change_nothing_in_the_reads_but_their_references(tmp_path: Path) -> None:
    common = ["--config", str(ROOT / "config"), "--start", NOON.isoformat(), "--for", "5s", "--speed", "60"]
    common += ["--watchlist", str(ROOT / "config/example_watchlist.csv"), "--listed-share", "0.2"]
    environment = {"ANPR_IMAGES__IMAGES_DIR": str(tmp_path), "ANPR_IMAGES__IMAGES_RETENTION_HOURS": "1000000"}
    without, with_pictures = (
        CliRunner().invoke(main, [*common, *more], env=environment) for more in ([], ["--pictures", "listed"])
    )
    assert with_pictures.exit_code == 0, with_pictures.stderr
    reads = [json.loads(line) for line in with_pictures.stdout.splitlines()]
    images = {read.pop("image") for read in reads if "image" in read}
    assert reads == [json.loads(line) for line in without.stdout.splitlines()]
    assert images == {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*.jpg")} != set()


def test_expired_pictures_are_deleted_during_the_run(tmp_path: Path) -> None:
    store = ImageStore(tmp_path, timedelta(hours=1))
    old = store.put("calais", NOON - timedelta(days=20_000), b"old")
    sighting = some_traffic()[0]
    Photographer(store, "all").picture(sighting, datetime.now(UTC))
    assert not (tmp_path / old).exists()


def test_the_contact_sheet_of_the_documentation_is_what_the_command_draws() -> None:
    with Image.open(ROOT / "docs/plates.png") as committed:
        drawn = contact_sheet.draw(Random("sheet"))
        assert committed.size == drawn.size
