"""`anpr dry-run` on lists and reads as they really come."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from anpr.cli.dry_run import command

CONFIG = Path(__file__).parents[3] / "config"
LIST = "plate,country,valid_until\nAB12 CDE,GB,2099-12-31\n"


def read(number: int, plate: str, **fields: object) -> str:
    return json.dumps(
        {"read_id": str(number), "site": "calais", "captured_at": "2026-11-01T10:00:00Z", "plate": plate} | fields
    )


def run(folder: Path, listed: str | bytes, *reads: str, options: tuple[str, ...] = ()) -> Result:
    (folder / "list.csv").write_bytes(listed if isinstance(listed, bytes) else listed.encode())
    (folder / "reads.jsonl").write_text("\n".join(reads) + "\n", "utf-8")
    arguments = ["--watchlist", str(folder / "list.csv"), "--reads", str(folder / "reads.jsonl"), *options]
    return CliRunner().invoke(command, arguments, obj=CONFIG)


def found(result: Result) -> list[str]:
    """Return the ids of the reads that rang."""
    return [json.loads(line)["read"]["read_id"] for line in result.stdout.splitlines()]


def test_only_an_entry_whose_sites_are_known_is_taken(tmp_path: Path) -> None:
    sites = ["Calais", "calias", '"calais, coquelles"', "calais;coquelles", "dover", "calais|coquelles"]
    letters = "EFGHJK"
    lines = [f"AB12 CD{letter},{site},2099-12-31\n" for letter, site in zip(letters, sites, strict=True)]
    reads = [read(number, f"AB12CD{letter}") for number, letter in enumerate(letters, start=1)]
    result = run(tmp_path, "plate,sites,valid_until\n" + "".join(lines), *reads)
    assert found(result) == ["6"]
    assert [f"line {number}: sites" in result.stderr for number in range(2, 8)] == [True] * 4 + [False] * 2
    assert "no camera of this configuration is at the sites: line 6: AB12 CDJ (dover)" in result.stderr
    assert result.exit_code == 1


def test_an_operator_learns_how_many_refused_lines_are_not_shown(tmp_path: Path) -> None:
    """Each line has two problems, so that the twenty that are shown are those of ten lines."""
    result = run(tmp_path, "plate,valid_until,priority\n" + "AB12 CDE,tomorrow,high\n" * 25, read(1, "AB12CDE"))
    assert result.stderr.count("must be") == 20
    assert "15 more lines refused: correct these first, then run this again" in result.stderr
    assert "25 lines refused, 0 entries read" in result.stderr


def test_a_bad_confidence_costs_no_candidate(tmp_path: Path) -> None:
    candidates = [
        {"plate": "AB12CDE", "confidence": 82.1},
        {"plate": "AB12CDE", "confidence": "0.821"},
        "AB12CDE",
        {"plate": "AB12CDE", "confidence": 0.821},
        {"plate": "AB12CDE", "confidence": "unsure"},
        {"plate": "AB12CDE", "confidence": "82,1%"},
        {"plate": "AB12CDE", "confidence": -1},
    ]
    reads = [read(number, "XXXXXXX", candidates=[given]) for number, given in enumerate(candidates, start=1)]
    result = run(tmp_path, LIST, *reads)
    assert found(result) == ["1", "2", "3", "4", "5", "6", "7"]
    assert result.exit_code == 0


@pytest.mark.parametrize("before", ["\ufeff", "\ufeff\n", "\ufeff \n\n", " \ufeff"])
def test_the_first_read_is_a_read_behind_a_byte_order_mark(tmp_path: Path, before: str) -> None:
    result = run(tmp_path, LIST, before + read(1, "AB12CDE"))
    assert found(result) == ["1"]
    assert result.exit_code == 0


@pytest.mark.parametrize(
    "listed",
    [
        "sep=,\n" + LIST,
        LIST.replace("plate,country,valid_until", "PLATE,COUNTRY,VALID_UNTIL"),
        LIST.replace("\n", ",,\n"),
        LIST + ",,\n,,\n",
        LIST.replace("GB", "gb"),
        LIST.replace("GB", "GBR"),
        LIST.replace("GB", "UK"),
    ],
    ids=["sep", "upper case", "empty columns", "empty rows", "gb", "GBR", "UK"],
)
def test_what_a_spreadsheet_adds_costs_no_entry(tmp_path: Path, listed: str) -> None:
    result = run(tmp_path, listed, read(1, "AB12CDE", country="GB"))
    assert found(result) == ["1"]
    assert json.loads(result.stdout)["entry"]["country"] == "GB"
    assert result.exit_code == 0


def test_a_list_is_read_in_the_encoding_that_is_named(tmp_path: Path) -> None:
    listed = "plate,country,valid_until\nMÜ-AB 123,DE,2099-12-31\n".encode("utf-16")
    refused = run(tmp_path, listed)
    assert getattr(refused.exception, "next_step", "") == "use --encoding utf-16"
    result = run(tmp_path, listed, read(1, "MÜAB123"), options=("--encoding", "utf-16"))
    assert found(result) == ["1"]


def test_a_date_is_wanted_where_the_text_is_no_time(tmp_path: Path) -> None:
    result = run(tmp_path, LIST.replace("2099-12-31", "20991231"))
    assert "line 2: valid_until '20991231': must be a date (2026-12-31)" in result.stderr
    assert "offset" not in result.stderr


JULY = "plate,country,valid_from,valid_until\nAB12 CDE,GB,2026-07-01,2026-07-31\n"


@pytest.mark.parametrize(
    ("site", "captured_at", "rings"),
    [
        ("calais", "2026-07-01T00:30:00+02:00", True),
        ("calais", "2026-07-01T02:30:00+02:00", True),
        ("calais", "2026-08-01T01:30:00+02:00", False),
        ("calais", "2026-06-30T23:59:59+02:00", False),
        ("calais", "2026-07-31T23:59:59+02:00", True),
        ("dover", "2026-07-31T23:30:00Z", False),
        ("dover", "2026-07-31T22:30:00Z", True),  # at Calais it is August already
        ("calais", "2026-07-31T22:30:00Z", False),
        ("dover", "2026-06-30T22:30:00Z", False),  # at Calais it is July already
        ("coquelles", "2026-06-30T22:30:00Z", True),
    ],
)
def test_a_day_is_the_day_of_the_port_where_the_vehicle_is_read(
    tmp_path: Path, site: str, captured_at: str, *, rings: bool
) -> None:
    result = run(tmp_path, JULY, read(1, "AB12CDE", site=site, captured_at=captured_at))
    assert found(result) == (["1"] if rings else [])


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("", "9999-12-31"),
        ("0001-01-01", "2999-12-31"),
        ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z"),
        ("", "9999-12-31T23:59:59-12:00"),
        ("2026-11-01", "2026-11-01"),
        ("2026-11-01", "2026-11-01T10:00:00.001Z"),
    ],
)
def test_an_entry_of_any_days_or_times_rings_between_them(tmp_path: Path, start: str, end: str) -> None:
    result = run(tmp_path, f"plate,valid_from,valid_until\nAB12 CDE,{start},{end}\n", read(1, "AB12CDE"))
    assert found(result) == ["1"]
    assert result.exit_code == 0


@pytest.mark.parametrize(
    ("site", "near"),
    [("Calais", "; the nearest is 'calais'"), ("calias", "; the nearest is 'calais'"), ("Lille", "")],
)
def test_reads_of_a_site_that_the_configuration_does_not_name_are_counted(
    tmp_path: Path, site: str, near: str
) -> None:
    result = run(tmp_path, LIST, read(1, "AB12CDE", site=site), read(2, "AB12CDE", site=site), read(3, "AB12CDE"))
    assert f"2 reads of a site that the configuration does not name: {site!r}{near}\n" in result.stderr
    assert "'calais'\n" not in run(tmp_path, LIST, read(1, "AB12CDE")).stderr


@pytest.mark.parametrize("duration", ["30", "90", "2w", "-1d"])
def test_how_long_a_line_is_valid_needs_a_unit(duration: str) -> None:
    result = CliRunner().invoke(command, ["--valid-for", duration], obj=CONFIG)
    assert result.exit_code == 2
    assert f"{duration!r} is no duration; write it as 20s, 5m, 2h or 1d" in result.stderr


def test_a_back_check_finds_what_passed_before_the_entry_was_valid(tmp_path: Path) -> None:
    listed = "plate,valid_from,valid_until\nAB12 CDE,2026-11-20,2099-12-31\nXV12 ABC,2026-12-01,2099-12-31\n"
    reads = [read(1, "AB12CDE"), read(2, "XV12ABC"), read(3, "XX99XXX")]
    assert found(run(tmp_path, listed, *reads)) == []
    checked = run(tmp_path, listed, *reads, options=("--back-check",))
    assert found(checked) == ["1", "2"]
    assert {json.loads(line)["kind"] for line in checked.stdout.splitlines()} == {"retrospective"}


def test_a_back_check_gives_the_ids_that_live_matching_gives(tmp_path: Path) -> None:
    reads = [read(1, "AB12CDE"), read(2, "AB12CDE", supersedes="1"), read(3, "A812CDE")]
    live, checked = (run(tmp_path, LIST, *reads, options=options) for options in ((), ("--back-check",)))

    def facts(result: Result) -> list[tuple[str, str, float]]:
        alerts = map(json.loads, result.stdout.splitlines())
        return [(alert["alert_id"], alert["tier"], alert["score"]) for alert in alerts]

    assert len(facts(live)) == 3
    assert facts(live) == facts(checked)
