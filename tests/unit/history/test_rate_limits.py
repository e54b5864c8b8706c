"""An officer and a site may look up so many vehicles a minute; what one uses up does not touch another."""

import pytest

from anpr.history.api.rate_limits import RateLimits, TooOftenError


class Stopwatch:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def stopwatch() -> Stopwatch:
    return Stopwatch()


def refused(limits: RateLimits, site: str, user: str) -> TooOftenError:
    with pytest.raises(TooOftenError) as refusal:
        limits.take(site, user)
    return refusal.value


def test_an_officer_is_told_when_to_ask_again_and_can_then(stopwatch: Stopwatch) -> None:
    limits = RateLimits(2, 100, stopwatch)
    for _ in range(2):
        limits.take("dover", "ann")
    error = refused(limits, "dover", "ann")
    assert (error.wait_seconds, error.code) == (30, "look-up-too-often")
    assert "this person may look up 2 vehicles a minute" in str(error)
    limits.take("dover", "bob")
    limits.take("calais", "ann")
    stopwatch.now = 30
    limits.take("dover", "ann")
    refused(limits, "dover", "ann")


def test_a_site_has_a_limit_over_all_its_officers(stopwatch: Stopwatch) -> None:
    limits = RateLimits(100, 3, stopwatch)
    for number in range(3):
        limits.take("dover", f"officer-{number}")
    assert "this site may look up 3" in str(refused(limits, "dover", "another"))
    limits.take("calais", "another")


def test_what_is_refused_does_not_count(stopwatch: Stopwatch) -> None:
    limits = RateLimits(1, 2, stopwatch)
    limits.take("dover", "ann")
    for _ in range(10):
        refused(limits, "dover", "ann")
    limits.take("dover", "bob")


def test_a_site_that_invents_names_does_not_fill_the_memory(stopwatch: Stopwatch) -> None:
    limits = RateLimits(5, 60, stopwatch)
    for number in range(1000):
        limits.take("dover", f"name-{number}")
        stopwatch.now += 1
    assert len(limits._officers) <= 60
