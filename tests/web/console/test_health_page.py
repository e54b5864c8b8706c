"""The health page shows what an engineer would look for."""

import re
from datetime import datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import msgspec
import pytest

from anpr.board.board_feed import BoardFeed
from anpr.board.site_health import SiteHealth
from anpr.console.status import fresh_status
from anpr.contracts import topics
from anpr.contracts.events import BackCheckStatus, Status, UnknownCamera
from anpr.kafka.in_memory import InMemoryTail
from anpr.local.processes import wait_until
from anpr.watchlist.store.manifest import CameraCalibration, Manifest
from tests.support.calibrations import OFTEN_UNSURE
from tests.support.entries import NoLists
from tests.support.strategies import NOON, generation
from tests.support.web_console import running_console
from tests.web.console.test_acting import text_of


def test_a_port_without_cameras_is_listed_with_the_state_of_its_broker(
    tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_console(tmp_path / "console", redis_url) as server, server.browser("ann") as ann:
        assert "Dover: ✓ connected" in text_of(ann.get("/health"))
        monkeypatch.setattr(InMemoryTail, "problem", lambda _: "the broker does not answer")
        # A tick that was under way may still have seen the broker.
        assert wait_until(lambda: "Dover: ✖ NOT CONNECTED" in text_of(ann.get("/health")), 10)
        page = text_of(ann.get("/health"))
        assert "Its officers' actions do NOT arrive here." in page
        assert "Technical details of Dover the broker does not answer" in page


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


@pytest.mark.parametrize(
    ("step", "words"), [(timedelta(hours=3), "forward by 3 hours"), (timedelta(minutes=-50), "back by 50 minutes")]
)
def test_it_says_that_the_clock_was_set_and_what_that_means(
    tmp_path: Path, redis_url: str, step: timedelta, words: str
) -> None:
    with running_console(tmp_path / "console", redis_url) as server, server.browser("ann") as ann:

        def page() -> str:
            server.report_all_is_well()
            return text_of(ann.get("/health"))

        assert wait_until(lambda: "No fault is known." in page(), 30)
        server.clock_set_by = step
        assert wait_until(lambda: f"✖ The clock of this console was set {words}, at" in page(), 30)
        assert "No vehicle is lost. But the ages on this screen may be wrong" in page()
        assert "No fault is known." not in page()


@pytest.mark.parametrize(
    ("ahead", "words"),
    [
        (timedelta(hours=5), "✖ 5 hours ahead of the clock of this console."),
        (timedelta(minutes=-50), "✖ 50 minutes behind the clock of this console."),
    ],
)
def test_it_says_which_machine_has_another_time(tmp_path: Path, redis_url: str, ahead: timedelta, words: str) -> None:
    with running_console(tmp_path / "console", redis_url) as server, server.browser("ann") as ann:

        def page(**fields: Any) -> str:
            server.report_all_is_well(**fields)
            return text_of(ann.get("/health"))

        assert wait_until(lambda: words in page(at=server.clock() + ahead), 30)
        assert wait_until(lambda: "the clock of this console." not in page(), 30), "until it is right again"


def test_it_shows_how_far_newly_listed_vehicles_are_looked_for_and_the_board_says_when_nobody_looks(
    tmp_path: Path, redis_url: str
) -> None:
    with running_console(tmp_path / "console", redis_url) as server, server.browser("ann") as ann:

        def is_told(**fields: Any) -> None:
            given = {"site": "calais", "at": server.clock(), "looked_up_to": generation(7), **fields}
            server.put(topics.status("calais"), BackCheckStatus(**given))

        def page(path: str = "/health") -> str:
            server.report_all_is_well()
            return text_of(ann.get(path))

        assert wait_until(lambda: "No fault is known." in page(), 10)
        assert "Newly listed vehicles" not in page(), "a port without a history has no back-check"
        is_told()
        assert wait_until(lambda: "check whether they have passed already: up to date" in page(), 10)
        began_at = server.clock() - timedelta(minutes=3)
        is_told(records_left=54_475, behind_since=began_at)
        assert wait_until(lambda: "54,475 records to go through, since" in page(), 10)
        is_told(behind_since=began_at)
        assert wait_until(lambda: "the newest reads are still to come, since" in page(), 10)
        assert "✖" not in page()
        is_told(behind_since=began_at - timedelta(hours=1))
        assert wait_until(lambda: "✖ check whether they have passed already" in page(), 10)
        is_told()
        assert wait_until(lambda: "✖" not in page(), 10)

        nobody = "whether newly listed vehicles have passed already."
        assert nobody not in page("/")
        server.clock_offset += timedelta(minutes=3)
        assert wait_until(
            lambda: "whether they have passed already" in page().partition("✖ nobody has checked since")[2], 10
        )
        assert nobody in page("/")
        is_told()
        assert wait_until(lambda: "check whether they have passed already: up to date" in page(), 10)
        assert wait_until(lambda: nobody not in page("/"), 10), "until it looks again"


def test_it_names_a_camera_that_uses_read_ids_again_and_calls_it_no_fault(tmp_path: Path, redis_url: str) -> None:
    with running_console(tmp_path / "console", redis_url) as server, server.browser("ann") as ann:

        def page() -> str:
            server.report_all_is_well(reused_read_ids={"<lane>": 35})
            return text_of(ann.get("/health"))

        assert wait_until(lambda: "No fault is known." in page(), 10)
        assert "camera &lt;lane&gt; has used 35 read ids again" in page()
        assert "✖" not in page()


def test_it_never_says_that_everything_works_while_a_port_is_cut_off(tmp_path: Path, redis_url: str) -> None:
    with running_console(tmp_path / "console", redis_url) as server:
        with server.browser("olga") as olga:  # an operator sees no board, so the page itself names what is broken
            page = text_of(olga.get("/health"))
            assert "No fault is known" not in page
            assert "Something is broken." in page
            assert re.search(r"Calais[\w, ]*: nothing received yet\.", page)
            assert "Its vehicles are NOT on this screen." in page
        with server.browser("ann") as ann:
            assert "Something is broken. The red bar says what." in text_of(ann.get("/health"))


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        ({"clock_offset_seconds": {"camera-1": -90.0}}, "✖ 90 s behind"),
        ({"lag": 500_000}, "✖ 500,000 reads waiting"),
        ({"dead_letters": 3}, "✖ 3 dead letters"),
        (
            {"unknown_cameras": {"Camera-1": UnknownCamera(reads=12, last_read_at=NOON)}},
            "✖ Cameras that the configuration does not name.",
        ),
        (None, "✖ NOT CONNECTED"),
    ],
)
def test_it_never_says_that_everything_works_above_a_red_line(
    tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch, fault: dict[str, Any] | None, line: str
) -> None:
    with running_console(tmp_path / "console", redis_url) as server, server.browser("ann") as ann:

        def page_of(**fields: Any) -> str:
            server.report_all_is_well(**fields)
            return text_of(ann.get("/health"))

        assert wait_until(lambda: "No fault is known." in page_of(), 10)
        assert "✖" not in page_of()
        if fault is None:
            monkeypatch.setattr(InMemoryTail, "problem", lambda _: "the broker does not answer")
        assert wait_until(lambda: line in page_of(**(fault or {})), 10)
        page = page_of(**(fault or {}))
        assert "No fault is known" not in page
        assert "Something is not right. The board has no warning. Look at the lines marked ✖ on this page." in page


def test_it_names_unknown_cameras_with_what_they_may_mean_and_claims_no_camera_that_made_no_read(
    tmp_path: Path, redis_url: str
) -> None:
    names = ("Camera-1", "", "<b>x</b>")
    unknown = {name: UnknownCamera(reads=12, last_read_at=NOON) for name in names}
    with running_console(tmp_path / "console", redis_url) as server, server.browser("ann") as ann:

        def page() -> str:
            server.report_all_is_well(unknown_cameras=unknown, cameras={}, reads=5)
            return text_of(ann.get("/health"))

        assert wait_until(lambda: "Camera-1: 12 reads" in page(), 10)
        assert "the nearest is &#39;camera-1&#39;" in ann.get("/health").text
        assert "(no name): 12 reads" in page()
        assert "the reads name no camera" in page()
        assert "&lt;b&gt;x&lt;/b&gt;" in ann.get("/health").text
        assert "✓ working" not in page()


def test_it_names_each_calibrated_camera_with_what_it_was_learned_from_and_what_that_does(
    tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    calibrations = tuple(
        msgspec.structs.replace(
            CameraCalibration.of(site, camera, OFTEN_UNSURE, NOON - timedelta(days=30), NOON),
            generation=generation(2),
            applied_at=NOON + timedelta(hours=1),
        )
        for site, camera in (("calais", "<camera-1>"), ("coquelles", "camera-2"))
    )
    manifest = Manifest(generation(2), NOON, "home", {}, calibrations)
    with running_console(tmp_path / "console", redis_url) as server, server.browser("ann") as ann:

        def page() -> str:
            server.report_all_is_well()
            return text_of(ann.get("/health"))

        assert wait_until(lambda: "No fault is known." in page(), 10)
        assert "Calibrated cameras" not in page(), "where there is none, nothing is said"
        monkeypatch.setattr(NoLists, "read_manifest", lambda _: manifest)
        assert wait_until(lambda: page().count("Calibrated cameras") == 2, 10)
        calais, _, coquelles = page().partition("Coquelles: ✓ connected")
        assert "How sure these cameras say they are is corrected by how often they say it." in calais
        learned = "<camera-1>10,000 reads30 January 2026 12:00 UTC1 March 2026 12:00 UTC"
        assert f"{learned}1 March 2026 13:00 UTC" in unescape(calais)
        assert "camera-210,000 reads" in coquelles
        assert "camera-2" not in calais


def test_it_shows_no_old_status_while_the_board_stands_still(
    tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_console(tmp_path / "console", redis_url) as server, server.browser("olga") as olga:
        assert olga.get("/health").status_code == 200

        def fail(*_: object) -> None:
            raise RuntimeError("no tick")

        monkeypatch.setattr(fresh_status, "WAIT_SECONDS", 1.0)
        monkeypatch.setattr(server.console.service.board_thread, "_on_tick", fail)
        refused = olga.get("/health")
        assert refused.status_code == 503
        assert "it has stopped updating" in text_of(refused)


def test_the_status_is_worked_out_once_a_tick_however_many_ask_for_it(
    tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[datetime] = []
    health = BoardFeed.health

    def counted(feed: BoardFeed, now: datetime) -> list[SiteHealth]:
        asked.append(now)
        return health(feed, now)

    monkeypatch.setattr(BoardFeed, "health", counted)
    with running_console(tmp_path / "console", redis_url) as server, server.browser("ann") as ann:
        for _ in range(5):
            assert ann.get("/health").status_code == 200
    assert len(asked) == server.console.parts.status._current_status.ticks


def test_officers_read_whether_the_list_is_up_to_date_and_what_is_for_engineers_is_folded_away(
    tmp_path: Path, redis_url: str
) -> None:
    with running_console(tmp_path / "console", redis_url) as server, server.browser("ann") as ann:

        def page(**fields: Any) -> str:
            server.report_all_is_well(**fields)
            return ann.get("/health").text

        assert wait_until(lambda: "up to date at" in page(entries=1), 10)
        officers, _, technical = page(entries=1).partition('<details class="technical">')
        assert ", 1 entry" in officers
        for word in ("dead letter", "matcher", "reads by other cameras", "partition"):
            assert word not in officers
        assert "0 dead letters" in technical
        assert wait_until(lambda: '<details class="technical" open>' in page(dead_letters=1), 10), "a fault is shown"
