import re
from pathlib import Path

import pytest

from anpr.runtime import settings
from anpr.runtime.errors import InputError
from anpr.runtime.settings import Settings
from anpr.runtime.settings_files import load_settings

SHIPPED = Path(__file__).parents[3] / "config"
SITES = """
[sites.calais]
title = "Calais"
kafka = "calais:9092"
redis = "redis://calais"
cameras = [{ name = "uk-1", lane = "1", position = "front" }]

[sites.dover]
title = "Dover"
kafka = "dover:9092"
redis = "redis://dover"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path)


def write(folder: Path, anpr: str = "", sites: str = SITES) -> Path:
    (folder / "anpr.toml").write_text(anpr, "utf-8")
    (folder / "sites.toml").write_text(sites, "utf-8")
    return folder


def refusal(folder: Path, **environment: str) -> str:
    """Return why the settings are refused."""
    with pytest.raises(InputError) as refused:
        load_settings(folder, environment)
    return str(refused.value)


def test_the_shipped_configuration_loads() -> None:
    shipped = load_settings(SHIPPED, {})
    assert list(shipped.sites) == ["calais", "coquelles", "dunkerque", "dover", "folkestone"]
    assert [len(site.cameras) for site in shipped.sites.values()] == [12, 12, 6, 0, 0]
    assert shipped == Settings(shipped.sites, shipped.routes), "its values are the defaults"
    routes = {(route.origin, route.destination): route.by for route in shipped.routes}
    assert routes["calais", "dover"] == routes["dunkerque", "dover"] == "ferry"
    assert routes["coquelles", "folkestone"] == "shuttle"


def test_a_route_to_an_unknown_site_is_refused(folder: Path) -> None:
    route = 'routes = [{origin = "calais", destination = "dower", by = "ferry", crossing_minutes = 90}]'
    write(folder, sites=route + "\n" + SITES)
    assert "routes 1: no site has the name 'dower'" in refusal(folder)


# --- the files and the environment ---


def test_the_values_of_the_files_count_and_all_others_are_the_defaults(folder: Path) -> None:
    write(folder, "[matcher]\nbatch_reads = 7\n")
    loaded = load_settings(folder, {})
    assert loaded.matcher == settings.MatcherSettings(batch_reads=7)
    assert loaded.board == settings.BoardSettings()
    assert loaded.sites["calais"].cameras == (settings.Camera(name="uk-1", lane="1", position="front"),)


def test_the_environment_overrides_the_files(folder: Path) -> None:
    write(folder, "[matcher]\nbatch_reads = 7\nlate_after_seconds = 30\n")
    environment = {
        "ANPR_MATCHER__BATCH_READS": "8",
        "ANPR_WATCHLIST__STATE_DIR": "/var/lib/anpr",
        "ANPR_SITES__DOVER__TITLE": "Port of Dover",
        "ANPR_SITES__DOVER__CAMERAS": '[{ name = "d", lane = "2", position = "rear" }]',
        "ANPR_CONFIG": "elsewhere",
        "PATH": "/bin",
    }
    loaded = load_settings(folder, environment)
    assert loaded.matcher == settings.MatcherSettings(batch_reads=8, late_after_seconds=30)
    assert loaded.watchlist.state_dir == "/var/lib/anpr"
    assert loaded.sites["dover"].title == "Port of Dover"
    assert [camera.name for camera in loaded.sites["dover"].cameras] == ["d"]
    assert loaded.sites["calais"].title == "Calais"


def test_two_variables_point_every_site_at_one_server(folder: Path) -> None:
    loaded = load_settings(folder, {"KAFKA_BOOTSTRAP": "here:1", "REDIS_URL": "redis://here"})
    assert {(site.kafka, site.redis) for site in loaded.sites.values()} == {("here:1", "redis://here")}


def test_a_variable_for_one_site_beats_the_variable_for_all_sites(folder: Path) -> None:
    loaded = load_settings(folder, {"KAFKA_BOOTSTRAP": "here:1", "ANPR_SITES__DOVER__KAFKA": "there:1"})
    assert [site.kafka for site in loaded.sites.values()] == ["here:1", "there:1"]


def test_an_empty_variable_leaves_the_servers_as_they_are(folder: Path) -> None:
    loaded = load_settings(folder, {"KAFKA_BOOTSTRAP": "", "REDIS_URL": ""})
    assert loaded.sites["dover"].kafka == "dover:9092"
    assert loaded.sites["dover"].redis == "redis://dover"


# --- misspelt keys ---


@pytest.mark.parametrize(
    ("anpr", "sites", "message"),
    [
        ("[matchers]\n", SITES, "anpr.toml: unknown key 'matchers'; the nearest known one is 'matcher'"),
        (
            "[board]\nwindow_hour = 1\n",
            SITES,
            "anpr.toml: board: unknown key 'window_hour'; the nearest known one is 'window_hours'",
        ),
        (
            "",
            SITES.replace("redis =", "reddis ="),
            "sites.toml: sites: calais: unknown key 'reddis'; the nearest known one is 'redis'",
        ),
        (
            "",
            SITES.replace("lane", "lan"),
            "sites.toml: sites: calais: cameras 1: unknown key 'lan'; the nearest known one is 'lane'",
        ),
    ],
)
def test_an_unknown_key_in_a_file_is_refused_with_the_nearest_known_one(
    folder: Path, anpr: str, sites: str, message: str
) -> None:
    write(folder, anpr, sites)
    assert refusal(folder) == f"{folder}/{message}"


def test_a_key_unlike_any_known_one_is_refused_too(folder: Path) -> None:
    write(folder, '"" = 1\n')
    assert "unknown key ''" in refusal(folder)
    assert "nearest" not in refusal(folder)


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        (
            "ANPR_MATCHER__BATCH_READ",
            "5",
            "matcher: unknown key 'batch_read'; the nearest known one is 'batch_reads'",
        ),
        ("ANPR_BATCH", "5", "unknown key 'batch'"),
        (
            "ANPR_SITES__DOVER__KAFKAS",
            "x",
            "sites: dover: unknown key 'kafkas'; the nearest known one is 'kafka'",
        ),
    ],
)
def test_an_unknown_key_in_the_environment_is_refused_with_the_nearest_known_one(
    folder: Path, variable: str, value: str, message: str
) -> None:
    assert refusal(folder, **{variable: value}) == f"environment variable {variable}: {message}"


# --- values that cannot be used ---


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("ANPR_MATCHER__BATCH_READS", "many", "Expected `int`, got `str` - at `$.matcher.batch_reads`"),
        ("ANPR_MATCHER__BATCH_READS", "0", "Expected `int` >= 1 - at `$.matcher.batch_reads`"),
        ("ANPR_BOARD__WINDOW_HOURS", "-1", "Expected `float` > 0.0 - at `$.board.window_hours`"),
        ("ANPR_BOARD__WINDOW_HOURS", "nan", "Expected `float` > 0.0 - at `$.board.window_hours`"),
        ("ANPR_MATCHER", "5", "Expected `object`, got `int` - at `$.matcher`"),
        ("ANPR_SITES__NEWHAVEN__TITLE", "Newhaven", "Object missing required field `kafka` - at `$.sites[...]`"),
        *(
            ("ANPR_SITES__CALAIS__TIME_ZONE", zone, f"{zone!r} is not a time zone; 'Europe/Paris' and 'UTC' are")
            for zone in ("Europe/Calais", "CET+1", "../passwd", "", "Europe")
        ),
        ("ANPR_SITES__CAP_GRIS__TITLE", "x", "matching regex '^[a-z0-9-]{1,40}$'"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_with_its_path(
    folder: Path, variable: str, value: str, message: str
) -> None:
    assert message in refusal(folder, **{variable: value})


@pytest.mark.parametrize("sites", ["sites = 3", "[sites]\ncalais = 3"])
@pytest.mark.parametrize("environment", [{}, {"KAFKA_BOOTSTRAP": "here:1"}])
def test_sites_that_are_not_tables_are_refused(folder: Path, sites: str, environment: dict[str, str]) -> None:
    write(folder, sites=sites)
    assert "Expected `object`, got `int` - at `$.sites" in refusal(folder, **environment)


@pytest.mark.parametrize("name", ["anpr.toml", "sites.toml"])
def test_a_missing_file_is_named_and_how_to_choose_another_folder(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(InputError, match=f"{re.escape(str(folder / name))}: No such file") as refused:
        load_settings(folder, {})
    assert "ANPR_CONFIG" in refused.value.next_step


@pytest.mark.parametrize("content", [b"[matcher\n", b"\xff"])
def test_a_file_that_is_not_toml_is_named(folder: Path, content: bytes) -> None:
    (folder / "anpr.toml").write_bytes(content)
    assert refusal(folder).startswith(f"{folder / 'anpr.toml'}: not TOML: ")


def test_topics_with_a_retention_shorter_than_the_boards_window_are_refused(folder: Path) -> None:
    message = "topics.alerts_retention_hours is shorter than board.window_hours"
    assert message in refusal(folder, ANPR_TOPICS__ALERTS_RETENTION_HOURS="71")
    assert message in refusal(folder, ANPR_BOARD__WINDOW_HOURS="97")
    assert load_settings(folder, {"ANPR_BOARD__WINDOW_HOURS": "96"}).board.window_hours == 96


# --- where a history answers ---


def with_history(folder: Path, address: str) -> Path:
    return write(folder, sites=SITES.replace('kafka = "calais:9092"', f'kafka = "x"\nhistory = "{address}"'))


@pytest.mark.parametrize(
    ("address", "endpoint"),
    [
        ("https://calais.example:8471", ("calais.example", 8471)),
        ("http://127.0.0.1:8471", ("127.0.0.1", 8471)),
        ("http://[::1]:8471", ("::1", 8471)),
    ],
)
def test_the_address_of_a_history_is_its_host_and_port(
    tmp_path: Path, address: str, endpoint: tuple[str, int]
) -> None:
    assert load_settings(with_history(tmp_path, address), {}).sites["calais"].history_endpoint == endpoint


@pytest.mark.parametrize(
    "address", ["calais:8471", "https://calais", "https://calais:8471/v1", "https://a@b:1", "ftp://a:1"]
)
def test_what_is_no_address_of_a_history_is_refused(tmp_path: Path, address: str) -> None:
    assert "$.sites[...].history" in refusal(with_history(tmp_path, address))
    assert "70000 is not a port" in refusal(with_history(tmp_path, "https://calais:70000"))


def test_plates_never_cross_a_network_in_clear(tmp_path: Path) -> None:
    assert "would send plates in clear" in refusal(with_history(tmp_path, "http://calais.example:8471"))


def test_sightings_that_would_go_before_their_alerts_can_come_are_refused(folder: Path) -> None:
    message = "retention.sightings_days is less than a day longer than topics.reads_retention_hours"
    assert message in refusal(folder, ANPR_RETENTION__SIGHTINGS_DAYS="3")
    assert message in refusal(folder, ANPR_TOPICS__READS_RETENTION_HOURS="697")
    assert load_settings(folder, {"ANPR_RETENTION__SIGHTINGS_DAYS": "4"}).retention.sightings_days == 4


def test_sightings_of_alerts_that_would_go_before_the_others_are_refused(folder: Path) -> None:
    message = "retention.matched_days is shorter than retention.sightings_days"
    assert message in refusal(folder, ANPR_RETENTION__MATCHED_DAYS="29")


@pytest.mark.parametrize("days", ["0", "366"])
def test_sightings_that_matched_nothing_are_kept_for_a_year_at_most(folder: Path, days: str) -> None:
    assert "retention.sightings_days" in refusal(folder, ANPR_RETENTION__SIGHTINGS_DAYS=days)
