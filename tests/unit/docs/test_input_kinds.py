"""docs/input-kinds.md says what becomes of input as it comes: every row holds, and each kind has three examples."""

import json
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import product
from pathlib import Path

import pytest

from anpr.backtest.replay import BacktestReplay
from anpr.contracts.events import NO_GENERATION, Read
from anpr.matching.index import Index
from anpr.reads.decoder import BadRead, decode_read
from anpr.runtime.errors import InputError
from anpr.runtime.settings_files import load_settings
from anpr.watchlist.csv_file import read_cells, read_list
from anpr.watchlist.list_context import ListContext
from anpr.watchlist.list_format import ListFormat

ROOT = Path(__file__).parents[3]
LINE = {"plate": "AB12 CDE", "country": "GB", "valid_until": "2099-12-31"}
FEWEST_EXAMPLES = 3


def rows(heading: str) -> list[list[str]]:
    """Return the rows of the table below a heading; an empty kind is the one above."""
    section = (
        (ROOT / "docs/input-kinds.md").read_text("utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    )
    found: list[list[str]] = []
    for line in re.findall(r"^\|(.*)\|$", section, re.MULTILINE)[2:]:
        cells = [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line)]
        found.append([cells[0] or found[-1][0], *(cell.removeprefix("`").removesuffix("`") for cell in cells[1:])])
    return found


CELLS, FILES, READS = rows("A cell of a list"), rows("A list file"), rows("A read")
MATCHES = rows("A read and a listed plate")
PAIRS = rows("Two records")
TEXTS = rows("Two texts of a plate")


@cache
def context() -> ListContext:
    return ListContext(load_settings(ROOT / "config", {}).sites, datetime(2026, 11, 29, tzinfo=UTC))


def test_every_kind_has_three_examples() -> None:
    for table in (CELLS, FILES, READS, PAIRS, TEXTS, MATCHES):
        counts = Counter(kind for kind, *_ in table)
        assert len(counts) >= (3 if table is MATCHES else 5)
        assert min(counts.values()) >= FEWEST_EXAMPLES


@pytest.mark.parametrize(("kind", "column", "cell", "result"), CELLS)
def test_a_cell_of_a_list(kind: str, column: str, cell: str, result: str) -> None:
    country = {"country": ""} if kind.endswith("without a country") else {}
    content = read_cells(LINE | country | {column: cell}, "stolen", context())
    what, _, words = result.partition(": ")
    if what == "refused":
        [fault] = content.faults
        assert fault.field == column
        assert words in fault.reason
        return
    [entry] = content.entries
    if what == "warned":
        assert words in " ".join(content.warnings)
    else:
        assert what == "taken"
        assert getattr(entry, column) == words


def unescaped(text: str) -> str:
    return re.sub(r"\\(u[0-9a-f]{4}|x[0-9a-f]{2}|[rnt])", lambda found: json.loads(f'"{python(found[0])}"'), text)


def python(escape: str) -> str:
    """Return an escape as JSON has it."""
    return escape.replace(r"\x", r"\u00")


@pytest.mark.parametrize(("kind", "encoding", "text", "result"), FILES)
def test_a_list_file(tmp_path: Path, kind: str, encoding: str, text: str, result: str) -> None:
    file = tmp_path / "list.csv"
    file.write_bytes(unescaped(text).encode(encoding))
    what, _, words = result.partition(": ")
    if what == "refused":
        with pytest.raises(InputError, match=re.escape(words)):
            read_list(file, "stolen", ListFormat(encoding), context=context())
        return
    content = read_list(file, "stolen", ListFormat(encoding), context=context())
    assert not content.faults, kind
    assert [entry.plate for entry in content.entries] == [words]


@pytest.mark.parametrize(("kind", "read", "result"), READS)
def test_a_read(kind: str, read: str, result: str) -> None:
    entries = read_cells(LINE | {"tolerance": "near"}, "stolen", context()).entries
    required = '{"read_id": "1", "site": "calais", "captured_at": "2026-11-01T10:00:00Z", '
    replay = BacktestReplay(entries, timedelta(minutes=1), context().days)
    line = (required + read[1:]).encode()
    if result == "unreadable":
        with pytest.raises(BadRead, match="it says that there is no plate"):
            replay.match_line(line)
        return
    _, alerts = replay.match_line(line)
    assert [alert.tier for alert in alerts] == [result], kind


@pytest.mark.parametrize(("kind", "first", "second", "result"), PAIRS)
def test_two_records(kind: str, first: str, second: str, result: str) -> None:
    first_arrived_at = datetime(2026, 11, 1, 15, tzinfo=UTC)
    identities = {
        decode_read(
            ('{"site": "calais", "plate": "AB12CDE", ' + record[1:]).encode(), "calais", first_arrived_at + delay
        ).identity
        for record, delay in ((first, timedelta()), (second, timedelta(minutes=20)))
    }
    assert {1: "the same read", 2: "two reads"}[len(identities)] == result, kind


@pytest.mark.parametrize(("kind", "country", "first", "second", "result"), TEXTS)
def test_two_texts_of_a_plate(kind: str, country: str, first: str, second: str, result: str) -> None:
    texts = (first, second)
    [entry, other] = [
        entry
        for text in texts
        for entry in read_cells(LINE | {"plate": text, "country": country}, "stolen", context()).entries
    ]
    rings = {
        (listed.plate, text)
        for listed in (entry, other)
        for text in texts
        for [matches] in [Index.build([listed], NO_GENERATION).match([read_of(text)], context().days)]
        if [match.tier for match in matches] == ["exact"]
    }
    own, all_pairs = set(zip(texts, texts, strict=True)), set(product(texts, texts))
    expected = {"one vehicle": (1, all_pairs), "two vehicles": (2, own), "perhaps one": (2, all_pairs)}
    assert (len({entry.entry_id, other.entry_id}), rings) == expected[result], kind


def read_of(plate: str) -> Read:
    return Read(read_id="1", site="calais", plate=plate, captured_at=datetime(2026, 11, 1, tzinfo=UTC))


@pytest.mark.parametrize(("kind", "listed", "country", "read", "tier"), MATCHES)
def test_a_read_and_a_listed_plate(kind: str, listed: str, country: str, read: str, tier: str) -> None:
    cells = {"plate": listed, "country": country, "valid_until": "2099-12-31", "tolerance": "near"}
    [entry] = read_cells(cells, "stolen", context()).entries
    record = {"read_id": "1", "site": "calais", "captured_at": "2026-11-01T10:00:00Z", "country": country}
    replay = BacktestReplay([entry], timedelta(minutes=1), context().days)
    _, alerts = replay.match_line(json.dumps(record | {"plate": read}).encode())
    assert [alert.tier for alert in alerts] == [tier], kind
