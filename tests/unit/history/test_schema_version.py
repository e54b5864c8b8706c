"""A store is filed by what the program derives of a read. When that changes, the schema version must change too."""

import hashlib
import json
from itertools import product

import pytest
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from anpr.contracts.events import Candidate, Read
from anpr.history.derived_rows import derived_rows
from anpr.history.sql_tables import SCHEMA_VERSION, VERSION
from anpr.reference_data.limits import ALPHABET
from tests.support.strategies import a_read

# What each version of the schema is: a change of a table or of a key is a new version. A line changes only with the
# sample below, never with the program.
DIGESTS = {1: "fd7a40303f64ebc7", 2: "a079eb2ca452cb9d", 3: "99faa34df0189c16"}

# Every character, plates of many countries, and each kind of text of which the engine derives more than one key.
TEXTS = [
    *(ALPHABET[start : start + 6] for start in range(0, len(ALPHABET), 6)),
    *("AB12CDE", "AB?2CDE", "GBAB12CDE", "FRAB123CD", "AB123CD75", "DMAB1234", "KRCK4YS", "WX12345", "1ABC234"),
    *("MÜAB12", "MUEAB12", "ŁÓD1234", "АВ1234СЕ", "ΑΒΕ1234", "ØS12345", "B01ABC", "12ABC34", "H12345", "0OQD1I8B"),
    *("POLICE AB12CDE", "AB12CDE AB12CDE", "TRANSPORT NL12BCD", "UNKNOWN", "5S2Z8B6G", "34ABC123", "2345BCD"),
    # Every layout of six to eight characters. A form that a country gains or loses decides whether FR or 75, for
    # example, may stand beside a plate.
    *(
        "".join(
            letter if is_letter else digit
            for is_letter, letter, digit in zip(layout, "FRBCDKLM", "17394275", strict=False)
        )
        for size in (6, 7, 8)
        for layout in product((True, False), repeat=size)
    ),
]
COUNTRIES = [None, "GB", "FR", "DE", "PL", "NL", "TR", "ES", "IT", "GR"]


def sample() -> list[Read]:
    reads = [
        a_read(str(number), plate=text, country=country, candidates=(Candidate(plate=text[::-1]),))
        for number, (text, country) in enumerate((text, country) for text in TEXTS for country in COUNTRIES)
    ]
    assert len(reads) > 300
    return reads


def digest() -> str:
    """Return a digest of the tables on both kinds of database, and of the rows that are derived of the sample."""
    written = hashlib.sha256()
    for dialect in (sqlite.dialect, postgresql.dialect):
        for table in sorted(VERSION.metadata.tables.values(), key=lambda table: table.name):
            indexes = sorted(table.indexes, key=lambda index: index.name or "")
            statements = [CreateTable(table).compile(dialect=dialect())]
            statements += [CreateIndex(index).compile(dialect=dialect()) for index in indexes]
            written.update(" ".join(" ".join(map(str, statements)).split()).encode())
    reads = sample()
    derived = derived_rows([{"day": 1, "source": 1, "offset": offset} for offset in range(len(reads))], reads)
    for table, rows in derived.items():
        # In no particular order: a database keeps none.
        written.update(json.dumps([table.name, sorted(json.dumps(row, sort_keys=True) for row in rows)]).encode())
    return written.hexdigest()[:16]


def test_a_change_of_a_table_or_of_a_key_is_a_new_schema_version() -> None:
    found = digest()
    if DIGESTS.get(SCHEMA_VERSION) != found:
        pytest.fail(
            "The tables of history, or the keys under which a read is filed, are not those of schema version "
            f"{SCHEMA_VERSION}. Raise SCHEMA_VERSION in history/sql_tables.py, and add here what the new version is: "
            f'{{{SCHEMA_VERSION + 1}: "{found}"}}. Then an older store is upgraded when its service starts.',
            pytrace=False,
        )


def test_every_version_until_now_is_stated() -> None:
    assert sorted(DIGESTS) == list(range(1, SCHEMA_VERSION + 1))
