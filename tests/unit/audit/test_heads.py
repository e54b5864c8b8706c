"""Each site publishes the ends of its audit chains, and the other sites keep them."""

from pathlib import Path

import pytest

from anpr.audit.chain import AuditChain
from anpr.audit.head_keeper import HeadKeeper
from anpr.audit.head_publisher import HeadPublisher, heads_in
from anpr.audit.kept_heads import KeptHeads, heads_of, read_heads
from anpr.audit.segments import segments
from anpr.audit.upkeep import AuditUpkeep
from anpr.contracts import topics
from anpr.contracts.events import encode
from anpr.kafka.in_memory import InMemoryBroker, InMemoryProducer, InMemoryTail
from anpr.local.processes import wait_until
from anpr.runtime.errors import InputError
from tests.support.audit import SetClock, look_up


class Port:
    """A site with one chain, its broker, and what it keeps of the other."""

    def __init__(self, folder: Path, site: str, others: tuple[str, ...], broker: InMemoryBroker) -> None:
        self.clock = SetClock()
        self.folder = folder / site
        self.chain = AuditChain(self.folder / "console-1.pc", site, "console-1.pc", self.clock)
        self.publisher = HeadPublisher(site, self.folder, lambda: InMemoryProducer(broker), self.clock)
        self.keeper = HeadKeeper(
            self.folder, dict.fromkeys(others, "memory"), lambda _, names: InMemoryTail(broker, names)
        )


@pytest.fixture
def broker() -> InMemoryBroker:
    return InMemoryBroker(SetClock())


def test_another_site_keeps_every_head_once(tmp_path: Path, broker: InMemoryBroker) -> None:
    calais = Port(tmp_path / "calais-pc", "calais", ("dover",), broker)
    for _ in range(2):
        calais.chain.append(look_up())
        calais.publisher.run_once()
        calais.publisher.run_once()
    for _ in range(2):
        dover = Port(tmp_path / "dover-pc", "dover", ("calais",), broker)
        dover.keeper.run_once()
        dover.keeper.run_once()
        dover.keeper.close()
        dover.chain.close()
    kept = heads_of(tmp_path / "dover-pc", "calais")
    assert [(head.service, head.sequence) for head in kept] == [("console-1.pc", 1), ("console-1.pc", 2)]
    assert kept[-1].hash == calais.chain.head.hash
    assert (tmp_path / "dover-pc" / "dover" / "heads" / "calais.jsonl").stat().st_mode & 0o777 == 0o600
    assert heads_of(tmp_path / "dover-pc", "dover") == [], "a site's own heads prove nothing"
    assert "AB12CDE" not in str(broker.topics), "and no personal data leaves"


def test_a_site_cannot_put_a_head_into_the_name_of_another(tmp_path: Path, broker: InMemoryBroker) -> None:
    calais = Port(tmp_path, "calais", ("dover", "coquelles"), broker)
    dover = Port(tmp_path, "dover", ("calais",), broker)
    dover.chain.append(look_up())
    (forged,) = heads_in(dover.folder, dover.clock)
    for value in (encode(forged), b"not a head", b""):
        broker.topics[topics.audit_heads("coquelles")].append((None, value, {}, calais.clock.now))
    calais.keeper.run_once()
    assert heads_of(tmp_path, "dover") == []


def test_of_two_consoles_of_a_machine_one_keeps_the_heads(tmp_path: Path, broker: InMemoryBroker) -> None:
    calais, dover = (Port(tmp_path, site, ("calais", "dover"), broker) for site in ("calais", "dover"))
    dover.chain.append(look_up())
    dover.publisher.run_once()
    calais.keeper.run_once()
    other = HeadKeeper(calais.folder, {"dover": "memory"}, lambda _, names: InMemoryTail(broker, names))
    other.run_once()
    assert len(heads_of(tmp_path, "dover")) == 1


@pytest.mark.parametrize("spoilt", [b"\xff\x00 no head\n", b'{"site": "dover"}\n', b"[" * 100_000 + b"\n"])
def test_a_kept_head_that_is_spoilt_costs_no_other_and_comes_again(
    tmp_path: Path, broker: InMemoryBroker, spoilt: bytes
) -> None:
    calais, dover = Port(tmp_path, "calais", ("dover",), broker), Port(tmp_path, "dover", (), broker)
    for _ in range(2):
        dover.chain.append(look_up())
        dover.publisher.run_once()
    calais.keeper.run_once()
    calais.keeper.close()
    file = tmp_path / "calais" / "heads" / "dover.jsonl"
    first, second = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(spoilt + second)
    assert [head.sequence for head in heads_of(tmp_path, "dover")] == [2]
    calais.keeper.run_once()
    assert file.read_bytes() == spoilt + second + first


def test_what_a_crash_left_of_a_kept_head_comes_again(tmp_path: Path, broker: InMemoryBroker) -> None:
    dover = Port(tmp_path, "dover", ("calais",), broker)
    dover.chain.append(look_up())
    (head,) = heads_in(dover.folder, dover.clock)
    folder = tmp_path / "calais" / "heads"
    folder.mkdir(parents=True)
    (folder / "dover.jsonl").write_bytes(encode(head)[:40])
    kept = KeptHeads(folder)
    kept.keep([head])
    assert heads_of(tmp_path, "dover") == [head]


def test_heads_go_out_when_the_broker_is_back(tmp_path: Path, broker: InMemoryBroker) -> None:
    calais = Port(tmp_path, "calais", ("dover",), broker)
    calais.chain.append(look_up())
    broker.is_refusing = True
    calais.publisher.run_once()
    assert not broker.topics[topics.audit_heads("calais")]
    broker.is_refusing = False
    calais.publisher.run_once()
    assert len(broker.topics[topics.audit_heads("calais")]) == 1


def test_a_service_publishes_when_it_starts_and_when_it_stops(tmp_path: Path, broker: InMemoryBroker) -> None:
    calais = Port(tmp_path, "calais", ("dover",), broker)
    calais.chain.append(look_up())
    upkeep = AuditUpkeep(calais.publisher, calais.keeper)
    upkeep.start()
    assert wait_until(lambda: len(broker.topics[topics.audit_heads("calais")]) == 1, 60)
    calais.chain.append(look_up())
    upkeep.stop()
    assert len(broker.topics[topics.audit_heads("calais")]) == 2


def test_a_record_that_is_being_written_is_no_head(tmp_path: Path, broker: InMemoryBroker) -> None:
    calais = Port(tmp_path, "calais", (), broker)
    calais.chain.append(look_up())
    with segments(calais.folder / "console-1.pc")[0].open("ab") as file:
        file.write(b'{"hash":"12')
    assert [head.sequence for head in heads_in(calais.folder, calais.clock)] == [1]


def test_a_file_of_heads_that_is_none_is_refused_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "heads.jsonl"
    file.write_text("{}\n")
    with pytest.raises(InputError, match="line 1 is no audit head"):
        read_heads(file)


def test_a_disk_that_refuses_loses_no_head(
    tmp_path: Path, broker: InMemoryBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    calais, dover = (Port(tmp_path, site, ("calais", "dover"), broker) for site in ("calais", "dover"))
    calais.chain.append(look_up())
    calais.publisher.run_once()

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("anpr.audit.durable_file.os.write", full)
        dover.keeper.run_once()
    dover.keeper.run_once()
    assert len(heads_of(tmp_path, "calais")) == 1
