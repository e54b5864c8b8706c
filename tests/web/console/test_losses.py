"""Reads that the broker deleted are in the red bar of every console until a person of their port has seen them."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import httpx
import msgspec

from anpr.contracts import topics
from anpr.contracts.events import Action, Loss, decode_action, encode
from anpr.local.processes import wait_until
from tests.support.losses import a_loss
from tests.support.web_console import ConsoleServer, csrf_of, running_console
from tests.web.console.test_acting import text_of

WORDS = "Calais: 3 reads were deleted before they were checked, between"


def lose(server: ConsoleServer, loss: Loss, reason: str = "gone") -> Loss:
    """Let the matcher of Calais write a dead letter of a loss, eight minutes long until now."""
    now = server.clock()
    lost = msgspec.structs.replace(loss, since=now - timedelta(minutes=8), until=now)
    letter = (None, encode(lost), {"reason": reason.encode()}, now)
    server.broker.topics[topics.deadletters(loss.site)].append(letter)
    return lost


def warnings(browser: httpx.Client) -> str:
    return " ".join(re.findall(r'id="warnings">(.*?)</ul>', browser.get("/").text))


def eventually(holds: Callable[[], bool]) -> bool:
    return wait_until(holds, 20)


def acknowledge(browser: httpx.Client, *losses: Loss, path: str = "/health") -> httpx.Response:
    ids = " ".join(loss.loss_id for loss in losses)
    return browser.post("/health/acknowledge", data={"csrf": csrf_of(browser, path), "losses": ids})


def actions_of(server: ConsoleServer, site: str = "calais") -> list[Action]:
    return [decode_action(value) for _, value, _, _ in server.broker.topics[topics.actions(site)]]


def test_a_supervisor_acknowledges_deleted_reads_and_the_warning_ends_at_every_port(
    tmp_path: Path, redis_url: str
) -> None:
    with (
        running_console(tmp_path / "calais", redis_url) as calais,
        calais.browser("sam") as sam,
        running_console(tmp_path / "dover", redis_url, site="dover", broker=calais.broker) as dover,
        dover.browser("sam") as sue,
    ):
        calais.report_all_is_well()
        loss = lose(calais, a_loss(2, 4, 6))
        assert eventually(lambda: WORDS in warnings(sam) and WORDS in warnings(sue))
        assert "A supervisor of Calais can acknowledge this on the Health page." in warnings(sam)
        page = text_of(sam.get("/health"))
        assert "4 to 6" in page
        assert "✖ not acknowledged" in page
        assert "Acknowledge the deleted reads of Calais" in page
        assert acknowledge(sam, loss).headers["location"] == "/health?done=acknowledged"
        assert eventually(lambda: WORDS not in warnings(sam) + warnings(sue))
        (action,) = actions_of(calais)
        assert (action.kind, action.alert_id, action.officer) == ("loss_acknowledged", loss.loss_id, "sam")
        assert "acknowledged by sam at" in text_of(sue.get("/health"))
        with calais.browser("aud") as aud:
            assert "acknowledged deleted reads: 3 reads, calais, partition 2, offsets 4 to 6" in text_of(
                aud.get("/audit")
            )
        acknowledge(sam, loss)
        assert len(actions_of(calais)) == 1
    # A console that starts now knows of both.
    with running_console(tmp_path / "again", redis_url, broker=calais.broker) as again, again.browser("ann") as ann:
        assert eventually(lambda: "acknowledged by sam at" in text_of(ann.get("/health")))
        assert WORDS not in warnings(ann)


def test_a_person_acknowledges_deleted_reads_only_of_the_ports_that_their_account_names(
    tmp_path: Path, redis_url: str
) -> None:
    with running_console(tmp_path / "dover", redis_url, site="dover") as dover:
        sam = dover.users.users()["sam"]
        dover.users.save(msgspec.structs.replace(sam, name="sue", sites=("dover",)))
        with dover.browser("sue") as sue, dover.browser("sam") as engineer:
            loss = lose(dover, a_loss(2, 4, 6))
            assert eventually(lambda: WORDS in warnings(sue))
            assert "Acknowledge the deleted reads" not in text_of(sue.get("/health"))
            assert acknowledge(sue, loss).headers["location"] == "/health"
            assert actions_of(dover, "dover") == []
            assert acknowledge(engineer, loss).headers["location"] == "/health?done=acknowledged"
            assert [action.officer for action in actions_of(dover, "dover")] == ["sam"]
            assert eventually(lambda: WORDS not in warnings(sue))


def test_only_what_the_page_showed_is_acknowledged(tmp_path: Path, redis_url: str) -> None:
    with running_console(tmp_path / "calais", redis_url) as calais, calais.browser("olga") as olga:
        calais.report_all_is_well()
        shown = lose(calais, a_loss(2, 4, 6))
        lose(calais, a_loss(1, 0, 9))
        assert eventually(lambda: "13 reads were deleted" in text_of(olga.get("/health")))
        acknowledge(olga, shown)
        assert eventually(lambda: "10 reads were deleted" in text_of(olga.get("/health")))
        assert acknowledge(olga, a_loss(5, 5, 5)).headers["location"] == "/health"
        assert len(actions_of(calais)) == 1


def test_an_officer_sees_deleted_reads_and_cannot_acknowledge_them(tmp_path: Path, redis_url: str) -> None:
    with running_console(tmp_path / "calais", redis_url) as calais, calais.browser("ann") as ann:
        calais.report_all_is_well()
        loss = lose(calais, a_loss(2, 4, 6))
        assert eventually(lambda: WORDS in warnings(ann))
        assert "Acknowledge the deleted reads" not in text_of(ann.get("/health"))
        assert acknowledge(ann, loss, path="/").status_code == 403
        assert actions_of(calais) == []


def test_other_dead_letters_are_no_deleted_reads_whatever_their_bytes(tmp_path: Path, redis_url: str) -> None:
    with running_console(tmp_path / "calais", redis_url) as calais, calais.browser("ann") as ann:
        calais.report_all_is_well()
        lose(calais, a_loss(2, 0, 99), reason="not JSON")
        lose(calais, a_loss(2, 4, 6))
        assert eventually(lambda: WORDS in warnings(ann))
        assert "cannot be read" not in warnings(ann)


def test_a_port_cannot_report_deleted_reads_of_another_port(tmp_path: Path, redis_url: str) -> None:
    with running_console(tmp_path / "calais", redis_url) as calais, calais.browser("ann") as ann:
        calais.report_all_is_well()
        forged = (None, encode(a_loss(2, 4, 6)), {"reason": b"gone"}, calais.clock())
        calais.broker.topics[topics.deadletters("coquelles")].append(forged)
        assert eventually(lambda: "1 report of deleted reads from Coquelles cannot be read" in warnings(ann))
        assert WORDS not in warnings(ann)
