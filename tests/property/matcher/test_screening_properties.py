"""Decoding only what may match loses nothing: what is published is that of decoding every record whole."""

import json
from datetime import timedelta
from typing import Any

from hypothesis import event, given
from hypothesis import strategies as st

from anpr.contracts.local_days import UTC_DAYS
from anpr.kafka.interfaces import Record
from anpr.kafka.record_batch import RecordBatch
from anpr.matcher.batch import Batch, decode_batch, match_batch
from anpr.matcher.screening import Screening
from anpr.matching.index import Index
from tests.support.strategies import NOON, an_entry, generation, json_values

ENTRIES = [
    an_entry("exact", plate="AB12CDE", tolerance="exact"),
    an_entry("near", plate="XY99ZZZ", tolerance="near"),
    an_entry("elsewhere", plate="AB12CDF", sites=("dunkerque",)),
    an_entry("over", plate="AB12CDG", valid_until=NOON - timedelta(hours=1)),
    an_entry("pattern", plate="*77Q"),
]
INDEX = Index.build(ENTRIES, generation(1))
SCREENING = Screening("calais", ["camera-1"])
plates = st.sampled_from([
    "AB12CDE", "AB12CDF", "AB12CDG", "XY99ZZZ", "XY99ZZ2", "X99ZZZ", "AA77Q", "MN10PQR", "AB 12 CDE", "UNKNOWN", "",
])  # fmt: skip
fields = st.fixed_dictionaries(
    {
        "read_id": st.sampled_from(["1", "2", ""]),
        "site": st.sampled_from(["calais"] * 4 + ["dover"]),
        "plate": plates,
        "camera": st.sampled_from(["camera-1"] * 4 + ["who"]),
    },
    optional={
        "supersedes": st.sampled_from(["0", None, None]),
        "candidates": st.lists(st.fixed_dictionaries({"plate": plates}), max_size=2),
        "char_confidences": st.just([0.4] * 7) | st.just([0.9] * 7),
        "country": st.sampled_from(["GB", "FR", "ZZ"]),
        "confidence": st.sampled_from([0.2, 0.9, 90]),
        "captured_at": st.just("2026-03-01T11:59:58Z") | json_values,
        "lane": json_values,
    },
)
values = fields.map(lambda record: json.dumps(record).encode()) | st.binary(max_size=20) | st.none()
batches = st.lists(st.tuples(values, st.sampled_from([NOON] * 4 + [None])), max_size=8)


def published(batch: Batch) -> list[Any]:
    matched = match_batch(batch, INDEX, NOON, timedelta(minutes=1), UTC_DAYS)
    letters = [(record.offset, error.reason, error.detail) for record, error in batch.undecodable]
    return [list(matched.alert_records), letters]


@given(batches)
def test_what_is_published_is_that_of_decoding_every_read_whole(batch: list[Any]) -> None:
    records = [Record("reads", 0, offset, at, value) for offset, (value, at) in enumerate(batch)]
    some = SCREENING.records_to_decode(RecordBatch.of(records), INDEX)
    event(f"screened out: {len(records) - len(some)}")
    assert published(decode_batch(some, 0, "calais")) == published(decode_batch(records, 0, "calais"))
    assert SCREENING.take_sample() is not None  # each of them is a usable read
