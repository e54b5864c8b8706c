"""The heads of a site's audit chains go over a real Kafka, and the other sites keep them."""

from contextlib import closing, suppress
from pathlib import Path

from anpr.audit.folders import chain_folders, open_chain, site_folder
from anpr.audit.head_keeper import HeadKeeper
from anpr.audit.head_publisher import HeadPublisher
from anpr.audit.kept_heads import heads_of
from anpr.audit.record import unseal
from anpr.audit.segments import segments
from anpr.audit.site_verification import verify_site
from anpr.contracts import topics
from anpr.contracts.events import decode_audit_head
from anpr.history.database import NoStoreError
from anpr.history.stores import open_sightings
from anpr.kafka.producer import KafkaProducer
from anpr.kafka.tail import KafkaTail
from anpr.local.processes import wait_until
from anpr.runtime.clock import system_clock
from anpr.runtime.settings_files import load_settings
from tests.support.audit import lines_in, look_up
from tests.support.entries import read_line
from tests.support.installation import Installation


def test_a_cut_tail_shows_by_the_heads_that_another_site_has_fetched(installation: Installation) -> None:
    it = installation
    settings = load_settings(it.config, it.environment | {"ANPR_AUDIT__FOLDER": str(it.folder / "audit")})
    here, other = it.sites[:2]
    assert it.run("topics", "--create").returncode == 0
    chain = open_chain(settings, here, "console", system_clock)
    folder = site_folder(settings, here)
    publisher = HeadPublisher(here, folder, lambda: KafkaProducer(it.kafka), system_clock)
    keeper = HeadKeeper(site_folder(settings, other), {here: it.kafka}, KafkaTail)
    for sequence in (1, 2):
        chain.append(look_up())
        publisher.run_once()

        def is_kept(sequence: int = sequence) -> bool:
            keeper.run_once()
            return [head.sequence for head in heads_of(settings.audit_dir, here)] == [*range(1, sequence + 1)]

        assert wait_until(is_kept, 60)
    keeper.close()
    heads = heads_of(settings.audit_dir, here)
    assert not verify_site(folder, heads)[0].fault
    cut_last_record(folder)
    (report,) = verify_site(folder, heads)
    assert report.faulty == 2


def cut_last_record(folder: Path) -> None:
    (segment,) = [file for chain in folder.iterdir() for file in segments(chain)]
    segment.write_bytes(segment.read_bytes().splitlines(keepends=True)[0])


def test_a_history_that_stops_has_recorded_what_it_collected_and_published_its_head(
    installation: Installation,
) -> None:
    it, site = installation, installation.sites[0]
    it.start("history", "history", "--site", site, "--metrics-port", "0")
    producer = KafkaProducer(it.kafka)
    producer.produce(topics.reads(site), "camera-1", read_line("a", site, "AB12 CDE"))
    assert wait_until(lambda: producer.flush(1) == 0, 60)

    def is_stored() -> bool:
        with suppress(NoStoreError):  # it is just being made
            store = open_sightings(it.settings, site, is_writer=False)
            with closing(store):
                return store.count() == 1
        return False

    assert wait_until(is_stored, 60)
    it.supervisor.remove("history")
    (chain,) = chain_folders(site_folder(it.settings, site))
    *_, last = [unseal(line) for line in lines_in(chain)]
    assert (last.record.event.operation, last.record.event.details["reads"]) == ("collection", "1")
    heads = [decode_audit_head(record.value or b"") for record in it.records([topics.audit_heads(site)])]
    assert heads[-1].hash == last.hash
    assert b"AB12" not in b"".join(lines_in(chain)), "by count, not by vehicle"
