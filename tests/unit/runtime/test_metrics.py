"""What the metrics count, what they never count, and that docs/metrics.md is up to date."""

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest

from anpr.contracts import topics
from anpr.contracts.events import Candidate, Entry, Read
from anpr.index_store.follower import ActiveIndex
from anpr.kafka.in_memory import InMemoryBroker, InMemoryProducer
from anpr.matcher.matcher_metrics import MatcherMetrics
from anpr.matching.index import Index
from anpr.reads.decoder import REASONS
from anpr.runtime import metrics
from tests.support.matchers import in_memory_matcher
from tests.support.strategies import NOON, a_read, an_entry, generation

ROOT = Path(__file__).parents[3]
LATER = NOON + timedelta(seconds=2)


def value(name: str, **labels: str) -> float | None:
    return metrics.REGISTRY.get_sample_value(name, labels)


def labels_of(site: str, label: str) -> set[str]:
    """Return the values of a label that any metric has for a site."""
    samples = [sample for metric in metrics.REGISTRY.collect() for sample in metric.samples]
    return {s.labels[label] for s in samples if s.labels.get("site") == site and label in s.labels}


def everything_of(site: str) -> list[tuple[str, str, float]]:
    """Return all metrics of a site, without the site's name and without durations of this run."""
    return sorted(
        (sample.name, str({**sample.labels, "site": ""}), sample.value)
        for metric in metrics.REGISTRY.collect()
        for sample in metric.samples
        if sample.labels.get("site") == site and not metric.name.startswith("anpr_matching")
    )


def matched(site: str, *reads: Read | bytes, entries: list[Entry] | None = None) -> None:
    """Let a site's matcher process reads that arrived two seconds after noon."""
    broker = InMemoryBroker(lambda: LATER)
    producer = InMemoryProducer(broker)
    for read in reads:
        line = read if isinstance(read, bytes) else msgspec.json.encode(msgspec.structs.replace(read, site=site))
        producer.produce(topics.reads(site), None, line)
    producer.flush(0)
    active_index = ActiveIndex(
        Index.build(entries or [an_entry()], generation(7, epoch=3)), applied_at=NOON, confirmed_at=LATER
    )
    in_memory_matcher(
        broker,
        site,
        lambda: active_index,
        lambda: LATER,
        MatcherMetrics(site, ["camera-1"], NOON),
        producer=producer,
    ).run_once()


@pytest.fixture
def site() -> str:
    """Return a site that only this test uses: the metrics belong to the whole process."""
    return f"site-{uuid4().hex[:8]}"


def test_reads_alerts_dead_letters_and_dropped_fields_are_counted(site: str) -> None:
    bad_field = b'{"read_id": "3", "site": "%b", "plate": "XY9", "confidence": 700}' % site.encode()
    matched(site, a_read("1"), a_read("2", plate="AB I2 CDE"), bad_field, b"not json", b"nor this")
    assert value("anpr_reads_total", site=site) == 3
    assert value("anpr_alerts_total", site=site, tier="exact") == 1
    assert value("anpr_alerts_total", site=site, tier="equivalent") == 1
    assert value("anpr_dead_letters_total", site=site, reason="not JSON") == 2
    assert value("anpr_dropped_fields_total", site=site, field="confidence") == 1
    assert value("anpr_batch_reads_sum", site=site) == 5
    assert value("anpr_matching_seconds_count", site=site) == 1


def test_reads_with_a_letter_that_no_table_knows_are_counted(site: str) -> None:
    matched(site, a_read("1", plate="Ж12CDE"), a_read("2", plate="AB?2CDE"), a_read("3", plate="МÜ-12"))
    assert value("anpr_unreadable_reads_total", site=site) == 2


def test_reads_that_say_there_is_no_plate_are_counted_as_unreadable(site: str) -> None:
    by_candidate = a_read("2", plate="INCONNU", candidates=(Candidate(plate="AB12CDE"),))
    matched(site, a_read("1", plate="unknown"), by_candidate, a_read("3", plate="AB12_CDE"), a_read("4"))
    assert value("anpr_unreadable_reads_total", site=site) == 3
    assert value("anpr_dead_letters_total", site=site, reason="no usable plate") == 1


def test_read_ids_that_a_camera_uses_again_are_counted_and_repeats_are_not(site: str) -> None:
    first, again = (a_read("1", camera="camera-1", captured_at=NOON - timedelta(hours=hours)) for hours in (5, 0))
    matched(site, first, first, again, again, a_read("1", camera="camera-2"))
    assert value("anpr_reused_read_ids_total", site=site, camera="camera-1") == 1


def test_only_live_alerts_measure_the_time_from_capture_to_the_broker(site: str) -> None:
    matched(site, a_read("1"), a_read("late", captured_at=NOON - timedelta(hours=1)), a_read("2", plate="XY9"))
    assert value("anpr_capture_to_publish_seconds_count", site=site) == 1
    assert value("anpr_capture_to_publish_seconds_sum", site=site) == 2


def test_the_active_generation_and_the_lag_are_shown(site: str) -> None:
    matched(site, a_read())
    assert value("anpr_list_generation_epoch", site=site) == 3
    assert value("anpr_list_generation_number", site=site) == 7
    assert value("anpr_list_entries", site=site) == 1
    assert value("anpr_list_applied_timestamp_seconds", site=site) == NOON.timestamp()
    assert value("anpr_list_confirmed_timestamp_seconds", site=site) == LATER.timestamp()
    assert value("anpr_lag_reads", site=site) == 0
    assert value("anpr_partitions", site=site) == 1


@pytest.mark.parametrize(("seconds", "offset"), [(0, -2), (4, 2), (90, 88), (-90, -92), (-7 * 86_400, -604_802)])
def test_the_offset_of_a_cameras_clock_is_shown_plausible_or_not(site: str, seconds: float, offset: float) -> None:
    matched(site, a_read(camera="camera-1", captured_at=NOON + timedelta(seconds=seconds)))
    assert value("anpr_camera_clock_offset_seconds", site=site, camera="camera-1") == offset
    assert value("anpr_camera_last_read_timestamp_seconds", site=site, camera="camera-1") == LATER.timestamp()


def test_a_few_reads_that_came_late_do_not_make_a_cameras_clock_wrong(site: str) -> None:
    counted = MatcherMetrics(site, ["camera-1"], NOON)
    late = [a_read(f"late-{n}", camera="camera-1", received_at=NOON + timedelta(hours=1)) for n in range(2)]
    in_time = [a_read(f"{n}", camera="camera-1", received_at=NOON + timedelta(seconds=0.2)) for n in range(3)]
    counted.record_reads([*late, *in_time])
    assert counted.clock_offset_seconds() == {"camera-1": -0.2}


def test_the_camera_labels_are_the_configured_cameras_and_other(site: str) -> None:
    cameras = ["camera-1", "", "camera-1 ", *(f"made-up-{number}" for number in range(50))]
    future = NOON + timedelta(days=1)
    matched(site, *(a_read(f"{number}", camera=camera) for number, camera in enumerate(cameras)))
    matched(site, *(a_read(f"{number}", camera=camera, captured_at=future) for number, camera in enumerate(cameras)))
    assert labels_of(site, "camera") == {"camera-1", "other"}


def test_the_reasons_of_dead_letters_are_a_fixed_list(site: str) -> None:
    bad = [b"x", b"{}", b'{"read_id": 7}', b'{"read_id": "1", "site": "elsewhere", "plate": "A"}', b" " * 70_000]
    matched(site, *bad)
    assert labels_of(site, "reason") <= set(REASONS)
    assert value("anpr_reads_total", site=site) == 0


def test_covert_alerts_leave_no_trace(site: str) -> None:
    seen: list[Read | bytes] = [a_read("1"), a_read("2", plate="XY99ZZZ"), b"not json"]
    matched(site, *seen, entries=[an_entry("open", plate="XY99ZZZ"), an_entry("c", plate="CC1", handling="covert")])
    other = f"{site}-covert"
    covert = [an_entry("open", plate="XY99ZZZ"), an_entry("c", handling="covert")]
    matched(other, *seen, entries=covert)
    assert value("anpr_alerts_total", site=site, tier="exact") == 1
    assert everything_of(other) == everything_of(site)


def test_every_metric_has_a_sentence_and_a_unit_at_the_end_of_its_name() -> None:
    for family in metrics.REGISTRY.collect():
        if not family.name.startswith("anpr_"):
            continue
        assert family.documentation.endswith("."), family.name
        endings = [
            "seconds",
            "bytes",
            "reads",
            "records",
            "lines",
            "entries",
            "partitions",
            "incidents",
            "losses",
            "searches",
            "faults",
            "browsers",
            "epoch",
            "number",
        ]
        assert family.type == "counter" or family.name.rpartition("_")[2] in endings, family.name


def test_the_page_about_the_metrics_is_up_to_date() -> None:
    page = (ROOT / "docs/metrics.md").read_text("utf-8")
    assert page == metrics.table(), "run `make metrics`"
