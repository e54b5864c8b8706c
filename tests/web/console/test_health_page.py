"""The health page shows what an engineer would look for."""

from pathlib import Path

import pytest

from anpr.contracts import topics
from anpr.contracts.events import Status
from anpr.kafka.in_memory import InMemoryTail
from anpr.local.processes import wait_until
from tests.support.web_console import running_console
from tests.web.console.test_acting import text_of


def test_a_port_without_cameras_is_listed_with_the_state_of_its_broker(
    tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_console(tmp_path / "console", redis_url) as server, server.browser("ann") as ann:
        assert "Dover: ✓ connected" in text_of(ann.get("/health"))
        monkeypatch.setattr(InMemoryTail, "problem", lambda _: "the broker does not answer")
        page = text_of(ann.get("/health"))
        assert "Dover: ✖ NOT CONNECTED" in page
        assert "Its officers' actions do NOT arrive here: the broker does not answer." in page


@pytest.mark.parametrize(
    ("offset", "words", "is_red"),
    [
        (92.4, "92 s ahead", True),
        (-7, "7 s behind, or its reads arrive late", True),
        (-4.2, "4 s behind", False),
        (0.3, "right", False),
    ],
)
def test_it_shows_how_far_a_cameras_clock_is_off_in_red_when_that_is_too_far(
    tmp_path: Path, redis_url: str, offset: float, words: str, is_red: bool
) -> None:
    with running_console(tmp_path / "console", redis_url) as server, server.browser("ann") as ann:
        now = server.clock()
        offsets = {"camera-1": offset}
        status = Status(
            site="calais", matcher="m", at=now, started_at=now, partitions=1, clock_offset_seconds=offsets
        )
        server.put(topics.status("calais"), status)
        assert wait_until(lambda: words in ann.get("/health").text, 60)
        assert (f'class="bad">✖ {words}' in ann.get("/health").text) == is_red


def test_it_never_says_that_everything_works_while_a_port_is_cut_off(tmp_path: Path, redis_url: str) -> None:
    with running_console(tmp_path / "console", redis_url) as server:
        with server.browser("olga") as olga:  # an operator sees no board, so the page itself names what is broken
            page = text_of(olga.get("/health"))
            assert "Everything works" not in page
            assert "Something is broken." in page
            assert "Calais: nothing received yet." in page
            assert "Its vehicles are NOT on this screen." in page
        with server.browser("ann") as ann:
            assert "Something is broken. The red bar says what." in text_of(ann.get("/health"))
