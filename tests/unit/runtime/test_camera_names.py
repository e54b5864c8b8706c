"""An unknown camera's name is explained by the camera that it may mean."""

import pytest

from anpr.runtime.camera_names import likely_camera
from anpr.runtime.settings import Camera, Site


def site(title: str, *names: str) -> Site:
    return Site(title, "k", "r", tuple(Camera(name, "1", "front") for name in names))


SITES = {
    "calais": site("Calais", "calais-uk-1-front", "calais-uk-1-rear"),
    "dunkerque": site("Dunkerque", "dunkerque-uk-1-front"),
    "dover": site("Dover"),
}


@pytest.mark.parametrize(
    ("name", "at", "words"),
    [
        ("calais-uk-1-frnt", "calais", "the nearest is 'calais-uk-1-front'"),
        ("CALAIS-UK-1-REAR", "calais", "the nearest is 'calais-uk-1-rear'"),
        (" calais-uk-1-rear ", "calais", "the nearest is 'calais-uk-1-rear'"),
        ("calais_uk_1_rear", "calais", "the nearest is 'calais-uk-1-rear'"),
        ("dunkerque-uk-1-front", "calais", "a camera of Dunkerque has this name"),
        ("", "calais", "the reads name no camera"),
        ("  ", "calais", "the reads name no camera"),
        ("cam7", "calais", ""),
        ("cam7", "dover", "the configuration has no camera at this site"),
        ("x" * 64, "calais", ""),
    ],
)
def test_what_an_unknown_name_may_mean(name: str, at: str, words: str) -> None:
    assert likely_camera(name, at, SITES) == words
