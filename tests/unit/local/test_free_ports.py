"""A server gets its usual port whenever that is free, so that what a person has noted still holds."""

import socket

import pytest

from anpr.local import free_ports as free_ports_module
from anpr.local.free_ports import claimed, free_ports, usual_ports


def test_free_ports_are_taken_as_they_are() -> None:
    usual = free_ports(3)
    assert usual_ports(usual) == usual


def test_a_port_that_is_in_use_is_replaced_by_another() -> None:
    taken, free = free_ports(2)
    with socket.create_server(("127.0.0.1", taken)):
        other, same = usual_ports([taken, free])
    assert same == free
    assert other != taken


def test_a_port_is_free_again_as_soon_as_its_server_has_ended() -> None:
    (port,) = free_ports(1)
    with socket.create_server(("127.0.0.1", port)) as server:
        client = socket.create_connection(("127.0.0.1", port))
        accepted, _ = server.accept()
        accepted.close()  # the side that closes first keeps the port for a minute
        client.close()
    assert usual_ports([port]) == [port]


def test_of_two_programs_that_start_at_once_one_has_the_claim_until_it_ends() -> None:
    [port] = free_ports(1)
    with claimed(port) as is_first, claimed(port) as is_second:
        assert (is_first, is_second) == (True, False)
    with claimed(port) as is_ours:
        assert is_ours


def test_a_port_that_was_chosen_is_not_chosen_again_before_its_server_listens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    [first] = free_ports(1)
    monkeypatch.setattr(free_ports_module, "LOWEST", first)
    monkeypatch.setattr(free_ports_module, "HIGHEST", first + 100)
    chosen = [free_ports(1)[0] for _ in range(30)]
    assert len({first, *chosen}) == 31
