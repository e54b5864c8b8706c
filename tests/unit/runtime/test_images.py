"""The image store on a real disk."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from anpr.runtime.images import MAX_IMAGE_BYTES, ImageStore
from anpr.runtime.settings_files import load_settings

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    return ImageStore(tmp_path / "images", timedelta(hours=24))


def test_a_link_out_of_the_folder_is_not_followed(store: ImageStore, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    os.utime(secret, (NOON.timestamp(), NOON.timestamp()))
    reference = store.put("calais", NOON, b"image")
    file = tmp_path / "images" / reference
    file.unlink()
    file.symlink_to(secret)
    assert store.get(reference, "calais", NOON) is None
    assert not store.holds(reference, "calais", NOON)


def test_the_store_says_which_images_it_has(store: ImageStore) -> None:
    reference = store.put("calais", NOON, b"image")
    assert store.holds(reference, "calais", NOON)
    for text, site, at in (
        (reference, "dover", NOON),
        (reference, "calais", NOON + timedelta(hours=25)),
        (f"calais/2026-06-01/{'0' * 32}.jpg", "calais", NOON),
        ("../secret", "calais", NOON),
    ):
        assert not store.holds(text, site, at)
        assert store.get(text, site, at) is None


def test_a_file_too_large_to_be_an_image_is_not_served(store: ImageStore) -> None:
    reference = store.put("calais", NOON, b"x" * (MAX_IMAGE_BYTES + 1))
    assert store.get(reference, "calais", NOON) is None
    assert not store.holds(reference, "calais", NOON)


def test_other_users_of_the_machine_cannot_read_images(store: ImageStore, tmp_path: Path) -> None:
    reference = store.put("calais", NOON, b"image")
    assert (tmp_path / "images" / reference).parent.stat().st_mode & 0o077 == 0


def test_a_bad_name_of_a_site_is_refused(store: ImageStore) -> None:
    with pytest.raises(ValueError, match="not the name of a site"):
        store.put("../calais", NOON, b"image")


def test_a_sweep_also_deletes_half_written_files_and_empty_days(store: ImageStore, tmp_path: Path) -> None:
    reference = store.put("calais", NOON, b"image")
    half = (tmp_path / "images" / reference).with_suffix(".part")
    half.write_bytes(b"im")
    os.utime(half, (NOON.timestamp(), NOON.timestamp()))
    assert store.sweep(NOON + timedelta(hours=25)) == 2
    assert not half.parent.exists()


def test_a_sweep_without_a_folder_deletes_nothing(store: ImageStore) -> None:
    assert store.sweep(NOON) == 0


def test_images_are_in_the_state_folder_unless_another_folder_is_configured() -> None:
    folder = Path(__file__).parents[3] / "config"
    default = load_settings(folder, {"ANPR_WATCHLIST__STATE_DIR": "/state"})
    assert default.images_dir == Path("/state/images")
    assert load_settings(folder, {"ANPR_IMAGES__IMAGES_DIR": "/pictures"}).images_dir == Path("/pictures")
