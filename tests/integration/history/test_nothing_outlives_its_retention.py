"""Everything is filled and the clock is moved: no byte of a plate is left anywhere that should be gone."""

import json
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its own examples import these from here
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from anpr.audit.expiry import Expiry
from anpr.audit.folders import open_chain, site_folder
from anpr.audit.record import AuditEvent
from anpr.contracts import topics
from anpr.contracts.events import Read, encode
from anpr.contracts.topics import AddressedAction, of_action, of_alert
from anpr.history.history_service import HistoryService
from anpr.history.retention import KeptStores
from anpr.kafka.producer import KafkaProducer
from anpr.local.kafka_server import KafkaServer
from anpr.local.processes import wait_until
from anpr.local.server import ServerUnavailableError
from anpr.matching.read_keys import folded_key
from anpr.runtime.clock import system_clock
from anpr.runtime.images import ImageStore
from anpr.runtime.settings import Settings
from anpr.runtime.settings_files import load_settings
from tests.support.entries import read_line
from tests.support.installation import Installation
from tests.support.servers import missing
from tests.support.strategies import a_read, an_action, an_alert, an_entry

UNMATCHED, LISTED, COVERT = PLATES = "GO07 NEX", "LS70 TED", "CV11 RTX"


class SweepingKafka(KafkaServer):
    """A broker that looks every half second for what its retention lets go, not every five minutes."""

    def _command(self) -> list[str]:
        command = super()._command()
        with (self._directory / "server.properties").open("a") as properties:
            properties.write("log.retention.check.interval.ms=500\nlog.initial.task.delay.ms=100\n")
            properties.write("log.segment.delete.delay.ms=0\n")
        return command


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[KafkaServer]:
    server = SweepingKafka(tmp_path / "kafka")
    try:
        server.start()
    except ServerUnavailableError as error:
        missing(error)
    with server:
        yield server


@pytest.fixture
def it(tmp_path: Path, broker: KafkaServer, redis_url: str) -> Iterator[Installation]:
    folder = tmp_path / "machine"
    folder.mkdir()
    # PostgreSQL is shared, and its schemas have the name of the site.
    with Installation(folder, broker.bootstrap, redis_url, suffix=f"-{uuid.uuid4().hex[:8]}") as made:
        made.create_topics()
        yield made


def marks(plate: str) -> list[bytes]:
    """Return a plate as it may be written: as read, without its gap, and by the characters that are confused."""
    squeezed = plate.replace(" ", "")
    return [text.encode() for text in (plate, squeezed, folded_key(squeezed))]


def plates_in(*folders: Path) -> dict[str, set[str]]:
    """Return the files that hold a byte sequence of each plate."""
    found: dict[str, set[str]] = {plate: set() for plate in PLATES}
    for file in (file for folder in folders for file in folder.rglob("*")):
        # Kafka's indexes are of numbers only, and the broker makes each ten megabytes large.
        if not file.is_file() or file.suffix in {".index", ".timeindex"}:
            continue
        try:
            content = file.read_bytes()
        except FileNotFoundError:
            continue  # it has just gone
        for plate in PLATES:
            if any(mark in content for mark in marks(plate)):
                found[plate].add(str(file))
    return found


def fill(it: Installation, settings: Settings, site: str) -> None:
    """Send reads as a gateway does, and publish and keep all else that may hold a plate."""
    image = ImageStore(settings.images_dir, timedelta(hours=settings.images.images_retention_hours))
    reference = image.put(site, system_clock(), f"a picture of {UNMATCHED}".encode())
    lines = [read_line(str(number), site, plate, image=reference) for number, plate in enumerate(PLATES * 10)]
    sent = it.run("send", "--site", site, "-", input=b"\n".join(lines) + b"\n")
    assert sent.returncode == 0, sent.stderr
    reads = {record.read_id: record for record in map(decoded, lines)}
    alerts = [
        an_alert(read, an_entry(handling, plate=read.plate, handling=handling))
        for handling, plate in (("open", LISTED), ("covert", COVERT))
        for read in reads.values()
        if read.plate == plate
    ]
    producer = KafkaProducer(it.kafka)
    for alert in alerts:
        producer.produce(of_alert(alert), alert.plate, encode(alert))
        action = an_action(alert.alert_id, "outcome", alert, site=site, note=f"it was {alert.plate}")
        producer.produce(of_action(AddressedAction(action, alert.is_covert)), None, encode(action))
    producer.produce(topics.deadletters(site), None, read_line("bad", "dover", UNMATCHED))
    assert wait_until(lambda: producer.flush(1) == 0, 60)
    with closing(open_chain(settings, site, "console", system_clock)) as chain:
        chain.append(
            AuditEvent(operation="consultation", what="look-up", user="ann", role="officer", plate=UNMATCHED)
        )


def decoded(line: bytes) -> Read:
    """Return a read as the decoder makes it of a line of a camera."""
    fields = json.loads(line)
    return a_read(
        fields["read_id"],
        site=fields["site"],
        plate=fields["plate"],
        camera=fields["camera"],
        captured_at=datetime.fromisoformat(fields["captured_at"]),
        claimed_at=fields["captured_at"],
    )


def keep_until(settings: Settings, site: str, now: datetime, expected: list[int]) -> None:
    """Run the history of a site with this clock, until the stores hold so many rows."""
    stop = threading.Event()
    with closing(open_chain(settings, site, "history", lambda: now)) as audit:
        service = HistoryService(settings, site, stop, lambda: now, audit)
        thread = threading.Thread(target=service.run)
        thread.start()
        try:
            assert wait_until(lambda: held(service.stores) == expected, 60), held(service.stores)
        finally:
            stop.set()
            thread.join()


def held(stores: KeptStores) -> list[int]:
    """Return how many rows the stores hold: sightings, matched, covert matched, facts, covert facts."""
    return [sum(1 for day in store.days() for _ in store.of_day(day)) for store in stores[:5]]


def expire(it: Installation, site: str) -> None:
    """Let everything on the site's topics be too old."""
    admin = AdminClient({"bootstrap.servers": it.kafka})
    entries = [
        ConfigEntry(name, "1", incremental_operation=AlterConfigOpType.SET) for name in ("retention.ms", "segment.ms")
    ]
    names = [name for name in admin.list_topics(timeout=60).topics if name.startswith(f"anpr.{site}.")]
    resources = [ConfigResource(ResourceType.TOPIC, name, incremental_configs=entries) for name in names]
    for done in admin.incremental_alter_configs(resources).values():
        done.result(60)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_files(request: pytest.FixtureRequest, it: Installation) -> Callable[[], Sequence[Path]]:
    """Return a function that returns the folders of the history's tables, as they are on the disk now."""
    if request.param == "sqlite":
        return lambda: [it.folder / "state" / "history"]
    url = request.getfixturevalue("postgresql_url")
    it.environment["ANPR_HISTORY__URL"] = url

    def folders() -> Sequence[Path]:
        with psycopg.connect(url, autocommit=True) as connection:
            # The log before a checkpoint is deleted, not kept for the next segments.
            connection.execute("ALTER SYSTEM SET wal_recycle = off")
            connection.execute("SELECT pg_reload_conf()")
            connection.execute("SELECT pg_switch_wal()")
            connection.execute("CHECKPOINT")
            row = connection.execute("SHOW data_directory").fetchone()
        assert row is not None
        folders = [Path(row[0]) / name for name in ("base", "pg_wal")]
        if not all(folder.is_dir() for folder in folders):
            pytest.skip("the files of this PostgreSQL are on another machine")
        return folders

    return folders


def test_no_byte_of_a_plate_outlives_its_retention(
    it: Installation, database_files: Callable[[], Sequence[Path]], tmp_path: Path
) -> None:
    site = it.sites[0]
    settings = load_settings(it.config, it.environment)
    kafka, audit = tmp_path / "kafka", settings.audit_dir
    fill(it, settings, site)
    now = system_clock()
    keep_until(settings, site, now, [30, 0, 0, 20, 20])
    assert all(plates_in(kafka).values())
    assert all(plates_in(*database_files()).values()), "the search finds what is there"
    assert plates_in(audit)[UNMATCHED]
    spool = settings.state_dir / f"send-{site}.sqlite"
    assert spool.exists()
    assert not any(str(spool) in files for files in plates_in(settings.state_dir).values())

    expire(it, site)
    assert wait_until(lambda: not any(plates_in(kafka).values()), 60)
    month = timedelta(days=settings.retention.sightings_days + 1)
    keep_until(settings, site, now + month, [0, 10, 10, 20, 20])
    ImageStore(settings.images_dir, timedelta(hours=settings.images.images_retention_hours)).sweep(now + month)
    found = plates_in(it.folder, kafka, *database_files())
    assert {file for file in found[UNMATCHED] if not file.startswith(str(audit))} == set()
    assert all(plates_in(*database_files())[plate] for plate in (LISTED, COVERT)), "alerts keep them"

    years = timedelta(days=settings.retention.matched_days + 1)
    keep_until(settings, site, now + years, [0] * 5)
    for plate, files in plates_in(it.folder, kafka, *database_files()).items():
        assert {file for file in files if not file.startswith(str(audit))} == set(), plate
    audited = timedelta(days=settings.retention.audit_days + 1)
    with closing(open_chain(settings, site, "console", lambda: now + audited)) as chain:
        chain.append(AuditEvent(operation="sign-in", what="sign-in", user="ann", role="officer"))
        Expiry(site_folder(settings, site), chain, settings.retention.audit_days, lambda: now + audited).run_once()
    assert not any(plates_in(it.folder).values())
