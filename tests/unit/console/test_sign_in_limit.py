"""Who guesses is stopped; who signed in lately is not stopped by the guesses of others."""

import pytest

from anpr.console.auth.sign_in_limit import SignInLimit

BOOTH, ELSEWHERE = "10.0.0.1", "10.0.0.2"


class Limit:
    def __init__(self) -> None:
        self.seconds = 0.0
        self._limit = SignInLimit(lambda: self.seconds)

    def signs_in(self, name: str, address: str) -> bool:
        if self._limit.attempt(name, address):
            return False
        self._limit.succeeded(name, address)
        return True

    def guesses(self, names: list[str], address: str) -> int:
        """Return how many of the guesses were checked."""
        return sum(not self._limit.attempt(name, address) for name in names)


def test_a_name_is_guessed_five_times_from_an_address_in_five_minutes() -> None:
    limit = Limit()
    assert limit.guesses(["ann"] * 9, ELSEWHERE) == 5
    limit.seconds += 299
    assert limit.guesses(["ann"], ELSEWHERE) == 0
    limit.seconds += 2
    assert limit.guesses(["ann"] * 9, ELSEWHERE) == 5


def test_guesses_of_other_names_at_an_address_do_not_stop_who_signed_in_lately() -> None:
    limit = Limit()
    assert limit.signs_in("ann", BOOTH)
    assert limit.guesses([f"nobody-{number}" for number in range(80)], BOOTH) == 50
    assert limit.signs_in("ann", BOOTH)
    assert not limit.signs_in("a newcomer", BOOTH)
    limit.guesses([f"nobody-{number}" for number in range(80)], ELSEWHERE)
    assert limit.signs_in("ann", ELSEWHERE), "she is known, though not from there"


def test_guesses_of_a_name_from_many_addresses_do_not_stop_its_owner_where_they_signed_in_lately() -> None:
    limit = Limit()
    assert limit.signs_in("ann", BOOTH)
    assert sum(limit.guesses(["ann"], f"10.1.0.{number}") for number in range(80)) == 25
    assert limit.signs_in("ann", BOOTH)
    assert not limit.signs_in("ann", ELSEWHERE)


@pytest.mark.parametrize("name", ["ann", "mallory"])
def test_an_own_sign_in_takes_back_no_guess(name: str) -> None:
    limit = Limit()
    assert limit.signs_in(name, BOOTH)
    checked = 0
    for number in range(100):
        checked += limit.guesses([f"victim-{number}"], BOOTH)
        limit.signs_in(name, BOOTH)
    assert checked == 50
