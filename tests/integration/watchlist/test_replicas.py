"""Two machines that follow two replicas of one Redis never mix generations, and never go backwards."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from anpr.contracts.events import Generation
from anpr.local.processes import wait_until
from anpr.local.valkey_server import ValkeyServer
from anpr.watchlist.store.applied_change import AppliedChange
from tests.support.machine import Machine, apply


class Ports:
    """A home of the watchlist with two replicas, and a machine at each replica."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home, self.near, self.far = (ValkeyServer(folder / name) for name in ("home", "near", "far"))
        for server in (self.home, self.near, self.far):
            server.start()
        self.near.replicate(self.home)
        self.far.replicate(self.home)
        self.at_near = Machine(folder / "1", self.near.url)
        self.at_far = Machine(folder / "2", self.far.url)
        self._writer = self.writer(self.home)
        self._contents: dict[Generation, set[str]] = {}
        self._newest: dict[Machine, Generation] = {}

    def writer(self, server: ValkeyServer) -> Machine:
        """Return a machine that changes the lists at a server."""
        return Machine(self.folder / f"writer-{server.port}", server.url)

    def write(self, *ids: str, by: Machine | None = None) -> AppliedChange:
        applied = apply(by or self._writer, *ids)
        assert applied.generation not in self._contents, "a generation is given out once"
        self._contents[applied.generation] = set(ids)
        return applied

    def look(self) -> None:
        """Let each machine take a step, and check that it has one whole generation, none older than before."""
        for machine in (self.at_near, self.at_far):
            machine.step()
            generation = machine.generation()
            if generation is not None:
                assert machine.ids() == self._contents[generation]
                assert self._newest.get(machine, generation) <= generation
                self._newest[machine] = generation

    def come_to(self, applied: AppliedChange, *machines: Machine) -> None:
        def are_there() -> bool:
            self.look()
            return all(machine.generation() == applied.generation for machine in machines)

        assert wait_until(are_there, 60), [machine.builder.problem for machine in machines]


@pytest.fixture
def ports(tmp_path: Path) -> Iterator[Ports]:
    ports = Ports(tmp_path)
    yield ports
    for server in (ports.home, ports.near, ports.far):
        server.stop()


def test_each_machine_has_one_whole_generation_at_a_time_and_both_reach_the_newest(ports: Ports) -> None:
    for number in range(20):
        applied = ports.write(*(f"{number}-{one}" for one in range(5)))
        ports.look()
    ports.come_to(applied, ports.at_near, ports.at_far)


def test_after_a_fail_over_that_lost_changes_no_machine_goes_backwards_and_the_next_change_reaches_all(
    ports: Ports,
) -> None:
    before = ports.write("a")
    ports.come_to(before, ports.at_near, ports.at_far)
    # The far replica is cut off from the home, and keeps what it had.
    ports.far.replicate(None)
    lost = [ports.write(f"lost-{number}") for number in range(3)]
    ports.come_to(lost[-1], ports.at_near)
    assert ports.at_far.generation() == before.generation
    # The home is lost. The far replica becomes the home, without the changes that only the other two had.
    ports.home.kill()
    ports.near.replicate(ports.far)

    def shows_the_older() -> bool:
        ports.look()
        return "but this machine already had" in ports.at_near.builder.problem

    assert wait_until(shows_the_older, 60)
    assert ports.at_near.generation() == lost[-1].generation
    after = ports.write("after", by=ports.writer(ports.far))
    assert after.generation.epoch > lost[-1].generation.epoch
    ports.come_to(after, ports.at_near, ports.at_far)
