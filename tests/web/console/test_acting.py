"""What officers do about an incident, through the pages that they use."""

import html
import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from anpr.contracts import topics
from anpr.contracts.events import Action, decode_action
from anpr.local.processes import wait_until
from anpr.local.valkey_server import ValkeyServer
from tests.support.strategies import a_read, an_action, an_alert, an_entry
from tests.support.web_console import ConsoleServer, csrf_of, running_console


@pytest.fixture
def server(tmp_path: Path, redis_url: str) -> Iterator[ConsoleServer]:
    with running_console(tmp_path / "console", redis_url) as console_server:
        yield console_server


def do(browser: httpx.Client, incident_id: str, command: str, **fields: str) -> httpx.Response:
    path = f"/incident/{incident_id}"
    csrf = csrf_of(browser, path)
    return browser.post(f"{path}/{command}", data={"csrf": csrf, **fields}, follow_redirects=True)


def text_of(answer: httpx.Response) -> str:
    """Return what stands on the page, without what marks it up."""
    return " ".join(re.sub(r"<[^>]*>", "", answer.text).split())


def actions(server: ConsoleServer, topic: str = topics.actions("calais")) -> list[Action]:
    return [decode_action(value) for _, value, _, _ in server.broker.topics[topic]]


def test_an_incident_is_claimed_checked_and_settled(server: ConsoleServer) -> None:
    alert = server.alert("AB12CDE")
    with server.browser("ann") as ann:
        assert "After 2 minutes the supervisor is called too." in text_of(ann.get("/"))
        assert "You have claimed this" in do(ann, alert.alert_id, "claim").text
        refused = do(ann, alert.alert_id, "outcome", outcome="turned_away")
        assert refused.status_code == 409
        assert "Check the plate by eye first" in refused.text
        assert do(ann, alert.alert_id, "plate-check", plate_check="same").status_code == 200
        done = do(ann, alert.alert_id, "outcome", outcome="turned_away", seen=alert.alert_id, note="sent back")
        assert "Settled" in done.text
    kinds = [(action.kind, action.officer) for action in actions(server)]
    assert kinds == [("claimed", "ann"), ("plate_check", "ann"), ("outcome", "ann")]
    assert [(cover.entry_id, cover.tier) for cover in actions(server)[-1].covers] == [("AB12CDE-open", "exact")]


@pytest.mark.parametrize(
    ("found", "refused", "taken"),
    [
        ("same", "misread", "stopped_found"),
        ("different", "stopped_found", "misread"),
        ("different", "same_plate_other_vehicle", "misread"),
        ("unreadable", None, "misread"),
        ("unreadable", None, "stopped_found"),
    ],
)
def test_an_outcome_that_contradicts_the_plate_check_is_neither_offered_nor_accepted(
    server: ConsoleServer, found: str, refused: str | None, taken: str
) -> None:
    alert = server.alert("AB12CDE")
    with server.browser("ann") as ann:
        do(ann, alert.alert_id, "claim")
        page = do(ann, alert.alert_id, "plate-check", plate_check=found).text
        assert f'value="{taken}"' in page
        if refused:
            assert f'value="{refused}"' not in page
            answer = do(ann, alert.alert_id, "outcome", outcome=refused)
            assert answer.status_code == 409
            assert "contradicts your plate check" in answer.text
        assert "Settled" in do(ann, alert.alert_id, "outcome", outcome=taken).text


def notes(page: str) -> dict[str, str]:
    """Return what stands in the text fields of an incident's page, by the field's id."""
    fields = re.findall(r'<textarea[^>]* id="([^"]*)"[^>]*>([^<]*)</textarea>', page)
    return {name: html.unescape(text) for name, text in fields}


def test_what_an_officer_typed_is_still_there_when_the_command_is_refused(server: ConsoleServer) -> None:
    typed = 'driver says "lost" <yesterday>'
    alert = server.alert("AB12CDE")
    with server.browser("ann") as ann, server.browser("bob") as bob:
        assert notes(ann.get(f"/incident/{alert.alert_id}").text) == {"comment": ""}
        refused = do(ann, alert.alert_id, "outcome", outcome="turned_away", note=typed)
        assert refused.status_code == 409
        assert notes(refused.text) == {"comment": typed}, "there is no form for an outcome yet"
        do(ann, alert.alert_id, "claim")
        do(ann, alert.alert_id, "plate-check", plate_check="same")
        refused = do(ann, alert.alert_id, "outcome", outcome="misread", note=typed)
        assert refused.status_code == 409
        assert notes(refused.text) == {"outcome-note": typed, "comment": ""}
        refused = do(ann, alert.alert_id, "comment", note=f"{typed}{'.' * 2000}")
        assert refused.status_code == 409
        assert notes(refused.text) == {"outcome-note": "", "comment": f"{typed}{'.' * 2000}"}
        refused = do(bob, alert.alert_id, "outcome", outcome="turned_away", note=typed)
        assert refused.status_code == 409
        assert notes(refused.text) == {"comment": typed}, "only ann can record the outcome"


def test_a_settled_incident_has_no_holder_and_need_not_be_released(server: ConsoleServer) -> None:
    alert = server.alert("AB12CDE")
    with server.browser("ann") as ann:
        do(ann, alert.alert_id, "claim")
        assert "Release" in text_of(do(ann, alert.alert_id, "plate-check", plate_check="same"))
        done = text_of(do(ann, alert.alert_id, "outcome", outcome="turned_away", seen=alert.alert_id))
        assert "Claimed by" not in done
        assert "Release" not in done


def test_when_two_claim_at_once_the_topics_order_decides_and_the_other_sees_who_was_first(
    server: ConsoleServer,
) -> None:
    alert = server.alert("AB12CDE")
    with server.browser("ann") as ann:
        csrf = csrf_of(ann, f"/incident/{alert.alert_id}")
        # Bob's claim reaches the topic after Ann's console has looked and before her claim is written.
        producer = server.console.parts.actions._producer
        write = producer.write

        def bob_first(written: Sequence[topics.AddressedAction]) -> bool:
            server.put(topics.actions("calais"), an_action("bobs", "claimed", alert, officer="bob"))
            return write(written)

        producer.write = bob_first  # type: ignore[assignment,method-assign]
        answer = ann.post(f"/incident/{alert.alert_id}/claim", data={"csrf": csrf}, follow_redirects=True)
    assert "bob claimed this first. You have not claimed it." in answer.text
    assert [action.officer for action in actions(server)] == ["bob", "ann"]


def test_only_the_holder_can_settle_a_claimed_incident_and_a_supervisor_takes_over_first(
    server: ConsoleServer,
) -> None:
    alert = server.alert("AB12CDE")
    with server.browser("ann") as ann, server.browser("bob") as bob, server.browser("sam") as sam:
        do(ann, alert.alert_id, "claim")
        for command in ("claim", "release", "plate-check", "outcome"):
            answer = do(bob, alert.alert_id, command, plate_check="same", outcome="misread")
            assert answer.status_code == 409
            refused = (
                "already claimed this."
                if command == "claim"
                else "claimed this. Only ann or a supervisor can do that."
            )
            assert f"ann has {refused}" in answer.text
        for command in ("plate-check", "outcome"):
            answer = do(sam, alert.alert_id, command, plate_check="same", outcome="misread")
            assert (answer.status_code, "Take it over first" in answer.text) == (409, True)
        assert 'name="plate_check"' not in sam.get(f"/incident/{alert.alert_id}").text
        assert 'name="plate_check"' in do(sam, alert.alert_id, "take-over").text
        assert do(sam, alert.alert_id, "plate-check", plate_check="different").status_code == 200


def test_dover_sees_what_calais_hands_over_claims_it_and_settles_it(
    server: ConsoleServer, tmp_path: Path, redis_url: str
) -> None:
    with running_console(tmp_path / "dover", redis_url, site="dover", broker=server.broker) as dover:
        alert = server.alert("AB12CDE")
        assert wait_until(lambda: alert.alert_id in dover.shown(), 60)
        with server.browser("ann") as ann, dover.browser("sam") as sam:
            assert "Due off the ferry about" in sam.get("/").text
            assert "On the way here: needs somebody (1)" in text_of(sam.get("/"))
            assert "Unclaimed here and at Calais" in text_of(sam.get(f"/incident/{alert.alert_id}"))
            assert "AB12CDE" in sam.get("/shift").text
            do(ann, alert.alert_id, "claim")
            assert wait_until(lambda: "Claimed by ann at Calais." in text_of(sam.get("/")), 60)
            do(ann, alert.alert_id, "plate-check", plate_check="same")
            do(ann, alert.alert_id, "outcome", outcome="handed_to_uk_port", seen=alert.alert_id)
            assert do(ann, alert.alert_id, "claim").status_code == 409, "at Calais it is settled"
            assert wait_until(lambda: "Handed over to the UK port at Calais" in sam.get("/").text, 60)
            assert "Claimed by ann" not in text_of(sam.get("/"))
            assert "You have claimed this" in do(sam, alert.alert_id, "claim").text
            assert "Claimed by you (1)" in sam.get("/shift").text
            do(sam, alert.alert_id, "plate-check", plate_check="same")
            do(sam, alert.alert_id, "outcome", outcome="stopped_found", seen=alert.alert_id)
            assert "Claimed by you (0)" in sam.get("/shift").text
            assert wait_until(lambda: "Due off the ferry" not in sam.get("/").text, 60)


def test_a_vehicle_that_was_listed_on_the_water_calls_dover_and_not_the_port_that_it_has_left(
    server: ConsoleServer, tmp_path: Path, redis_url: str
) -> None:
    with running_console(tmp_path / "dover", redis_url, site="dover", broker=server.broker) as dover:
        passed_at = server.clock() - timedelta(minutes=80)
        read = a_read("on the water", plate="XV56ABC", captured_at=passed_at, lane="1")
        entry = an_entry("listed later", plate="XV56ABC")
        alert = an_alert(read, entry, kind="retrospective", raised_at=server.clock())
        server.put(topics.of_alert(alert), alert)
        name = alert.alert_id
        assert wait_until(lambda: name in dover.shown() & server.shown(), 60)
        with server.browser("ann") as ann, dover.browser("sam") as sam:
            at_calais, at_dover = (browser.get("/board/state").json()["set"][name] for browser in (ann, sam))
            assert (at_calais["section"], at_calais["rings"]) == ("passed", "")
            head = ann.get("/board/state").json()["set"]["head"]
            waiting = [section for section in head["by_section"] if section != "passed"]
            assert head["known"] == sum(head["by_section"][section] for section in waiting), "it is not counted"
            assert head["by_section"]["passed"] == 1
            assert "data-claim" not in at_calais["html"], "nobody needs to attend to it there"
            assert "Seen before it was listed: for your information" in ann.get("/").text
            assert f"incident/{name}/claim" in ann.get(f"/incident/{name}").text, "it may yet be in the lane"
            assert "XV56ABC" not in ann.get("/shift").text, "nobody has to be told of it at the end of the shift"
            assert (at_dover["section"], bool(at_dover["rings"])) == ("elsewhere", True)
            assert "EARLIER: the vehicle was seen before it was listed" in sam.get("/").text
            assert "Due off the ferry about" in sam.get("/").text


def test_coquelles_sees_that_a_vehicle_turned_away_at_calais_may_try_there(
    server: ConsoleServer, tmp_path: Path, redis_url: str
) -> None:
    with running_console(tmp_path / "coquelles", redis_url, site="coquelles", broker=server.broker) as coquelles:
        alert = server.alert("AB12CDE")
        with server.browser("ann") as ann, coquelles.browser("kate") as kate:
            do(ann, alert.alert_id, "claim")
            do(ann, alert.alert_id, "plate-check", plate_check="same")
            do(ann, alert.alert_id, "outcome", outcome="turned_away", seen=alert.alert_id)
            assert wait_until(lambda: "Turned away at Calais" in kate.get("/").text, 60)
            assert "It may try here" in kate.get("/").text
            refused = do(kate, alert.alert_id, "claim")
            assert refused.status_code == 409


def test_an_action_can_be_undone_and_both_stay_visible(server: ConsoleServer) -> None:
    alert = server.alert("AB12CDE")
    with server.browser("ann") as ann, server.browser("bob") as bob:
        do(ann, alert.alert_id, "claim")
        (claimed,) = actions(server)
        assert do(bob, alert.alert_id, "take-back", action=claimed.action_id).status_code == 409
        page = do(ann, alert.alert_id, "take-back", action=claimed.action_id).text
    assert "claimed this" in page
    assert "undone" in page
    assert "undid: claimed this" in page, "and what it was"
    assert "Unclaimed" in page


def test_a_look_up_is_answered_only_once_it_is_in_the_audit_log(
    server: ConsoleServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    alert = server.alert("AB12CDE")
    with server.browser("ann") as ann:
        ann.get(f"/incident/{alert.alert_id}")
        event = server.audited()[-1].event
        assert (event.operation, event.user, event.what, event.plate) == (
            "consultation",
            "ann",
            "incident",
            "AB12CDE",
        )

        def full(*_: object) -> int:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("anpr.audit.durable_file.os.write", full)
        answer = ann.get(f"/incident/{alert.alert_id}")
        assert answer.status_code == 503
        assert "AB12CDE" not in answer.text
        monkeypatch.undo()


def test_while_the_broker_is_away_the_page_says_that_an_action_is_not_confirmed(server: ConsoleServer) -> None:
    alert = server.alert("AB12CDE")
    server.broker.is_away = True
    with server.browser("ann") as ann:
        assert "Your claim is waiting to be sent" in do(ann, alert.alert_id, "claim").text
        refused = do(ann, alert.alert_id, "comment", note="")
        assert refused.status_code == 409
        for page in (refused, ann.get(f"/incident/{alert.alert_id}"), do(ann, alert.alert_id, "claim")):
            assert "Your claim is waiting to be sent" in page.text
            assert "data-claim" not in page.text
        assert "not confirmed" in do(ann, alert.alert_id, "comment", note="on my way").text
        server.broker.is_away = False
        do(ann, alert.alert_id, "comment", note="at the lorry")
        confirmed = ann.get(f"/incident/{alert.alert_id}").text
        assert "waiting to be sent" not in confirmed
        assert "Claimed by <strong>you</strong>" in confirmed
    assert [action.kind for action in actions(server)] == ["claimed", "comment", "comment"]


def test_an_action_that_the_broker_refuses_is_reported_as_not_done_and_can_be_repeated(server: ConsoleServer) -> None:
    alert = server.alert("AB12CDE")
    with server.browser("ann") as ann:
        server.broker.is_refusing = True
        refused = do(ann, alert.alert_id, "claim")
        assert refused.status_code == 503
        assert "That was not done" in refused.text
        assert "the system refuses it" in refused.text
        server.broker.is_refusing = False
        assert "You have claimed this" in do(ann, alert.alert_id, "claim").text
    assert [action.kind for action in actions(server)] == ["claimed"]


def test_people_without_covert_permission_learn_nothing_covert(server: ConsoleServer) -> None:
    covert = server.alert("SECRET1", handling="covert")
    mixed_covert = server.alert("MIXED1", handling="covert")
    mixed_open = server.alert("MIXED1")
    with server.browser("ann") as ann, server.browser("cleo") as cleo:
        assert "SECRET1" not in ann.get("/").text + ann.get("/board/state").text
        assert "SECRET1" in cleo.get("/").text
        assert ann.get(f"/incident/{covert.alert_id}").status_code == 404
        assert ann.get(f"/incident/{mixed_covert.alert_id}").status_code == 404
        do(cleo, mixed_open.alert_id, "claim")
        do(cleo, mixed_open.alert_id, "comment", note="about the secret")
        do(cleo, mixed_open.alert_id, "plate-check", plate_check="same")
        seen = f"{mixed_open.alert_id} {mixed_covert.alert_id}"
        done = do(cleo, mixed_open.alert_id, "outcome", outcome="observed_only", seen=seen, note="a secret note")
        assert "Settled" in done.text
        do(cleo, covert.alert_id, "claim")
        page = ann.get(f"/incident/{mixed_open.alert_id}").text
        assert "Settled" in page
        assert "secret" not in page
    public = b"".join(
        value
        for topic in server.broker.topics
        if "covert" not in topic
        for _, value, _, _ in server.broker.topics[topic]
    )
    for word in (b"secret", b"SECRET1", b"covert", mixed_covert.alert_id.encode(), covert.alert_id.encode()):
        assert word not in public


@pytest.mark.parametrize(("name", "lines"), [("aud", 1), ("ann", 0)])
def test_an_auditors_look_at_a_picture_leaves_its_line(server: ConsoleServer, name: str, lines: int) -> None:
    alert = server.alert("AB12CDE", image=server.images.put("calais", server.clock(), b"a picture"))
    with server.browser(name) as browser:
        assert browser.get(f"/incident/{alert.alert_id}/image/{alert.alert_id}").content == b"a picture"
    looks = [record.event for record in server.audited() if record.event.what == "image"]
    assert [event.user for event in looks] == ["aud"] * lines


def test_an_image_is_shown_only_to_people_who_may_see_its_incident(server: ConsoleServer) -> None:
    picture = server.images.put("calais", server.clock(), b"a picture")
    foreign = server.images.put("coquelles", server.clock(), b"another's")
    alert = server.alert("AB12CDE", image=picture)
    covert = server.alert("SECRET1", handling="covert", image=picture)
    pointing = server.alert("POINTS1", image=foreign)
    paths = {shown.plate: f"/incident/{shown.alert_id}/image/{shown.alert_id}" for shown in (alert, covert, pointing)}
    with server.browser("ann") as ann, server.browser("cleo") as cleo, server.browser("olga") as olga:
        assert ann.get(paths["AB12CDE"]).content == b"a picture"
        assert ann.get(paths["SECRET1"]).status_code == 404
        assert cleo.get(paths["SECRET1"]).content == b"a picture"
        assert ann.get(paths["POINTS1"]).status_code == 404, "a read cannot lend out another site's picture"
        assert ann.get(f"/incident/{alert.alert_id}/image/{pointing.alert_id}").status_code == 404
        assert olga.get(paths["AB12CDE"]).status_code == 403
        server.clock_offset += timedelta(hours=2)
        assert ann.get(paths["AB12CDE"]).status_code == 404, "it has expired"


def test_a_supervisor_takes_over_and_hands_over_what_an_officer_has_claimed(server: ConsoleServer) -> None:
    alert = server.alert("AB12CDE")
    with server.browser("ann") as ann, server.browser("sam") as sam:
        do(ann, alert.alert_id, "claim")
        assert do(ann, alert.alert_id, "take-over").status_code == 409
        assert "You have taken this over" in do(sam, alert.alert_id, "take-over").text
        assert "took it over from ann" in ann.get(f"/incident/{alert.alert_id}").text
        assert do(sam, alert.alert_id, "hand-over", to="olga").status_code == 409, "an operator does not act"
        do(sam, alert.alert_id, "hand-over", to="bob")
        assert "Handed to <strong>bob</strong> by sam" in sam.get(f"/incident/{alert.alert_id}").text


def test_the_shift_page_shows_my_claims_my_colleagues_claims_and_what_is_unclaimed(server: ConsoleServer) -> None:
    plates = {plate: server.alert(plate) for plate in ("MINE1", "BOBS1", "FREE1")}
    with server.browser("ann") as ann, server.browser("bob") as bob:
        do(ann, plates["MINE1"].alert_id, "claim")
        do(bob, plates["BOBS1"].alert_id, "claim")
        page = ann.get("/shift").text
    order = [
        page.index(word)
        for word in ("Claimed by you", "MINE1", "Claimed by colleagues", "BOBS1", "Unclaimed (", "FREE1")
    ]
    assert order == sorted(order)


def test_the_shift_goes_by_priority_then_the_oldest(server: ConsoleServer) -> None:
    now = server.clock()
    alerts = []
    for plate, priority, minutes_ago in (("NEW1", 1, 1), ("LOW1", 3, 9), ("OLD1", 1, 5)):
        seen_at = now - timedelta(minutes=minutes_ago)
        entry = an_entry(plate, plate=plate, priority=priority)
        alerts.append(an_alert(a_read(plate, plate=plate, captured_at=seen_at), entry, raised_at=seen_at))
        server.put(topics.alerts("calais"), alerts[-1])
    with server.browser("ann") as ann:
        assert wait_until(lambda: {alert.alert_id for alert in alerts} <= server.shown(), 60)
        page = ann.get("/shift").text
    assert sorted(("NEW1", "LOW1", "OLD1"), key=page.index) == ["OLD1", "NEW1", "LOW1"]


def test_the_shift_is_no_surer_of_a_match_than_the_board(server: ConsoleServer) -> None:
    read = a_read("unlikely", plate="AB12CDE", captured_at=server.clock())
    alert = an_alert(read, an_entry("unlikely", plate="AB12CDE"), score=0.1, raised_at=server.clock())
    server.put(topics.alerts("calais"), alert)
    with server.browser("ann") as ann:
        assert wait_until(lambda: alert.alert_id in server.shown(), 5)
        for path in ("/", "/shift"):
            page = text_of(ann.get(path))
            assert "Possible: check the plate" in page, path
            assert "Exact" not in page, path


def test_an_officer_who_signs_out_decides_what_becomes_of_their_claims(server: ConsoleServer) -> None:
    alerts = [server.alert(plate) for plate in ("AB1", "AB2")]
    with server.browser("ann") as ann:
        for alert in alerts:
            do(ann, alert.alert_id, "claim")
        csrf = csrf_of(ann, "/")
        asked = ann.post("/sign-out", data={"csrf": csrf})
        assert "You have claimed 2 incidents that are still open" in asked.text
        assert ann.get("/").status_code == 200, "not signed out yet"
        refused = ann.post("/sign-out", data={"csrf": csrf, "with": "hand-over", "to": ""})
        assert refused.status_code == 409
        assert '<a href="#to">Select a colleague at this site.</a>' in refused.text, "it leads to its field"
        assert 'id="to-error"' in refused.text
        assert ann.post("/sign-out", data={"csrf": csrf, "with": "hand-over", "to": "bob"}).status_code == 303
        assert ann.get("/").status_code == 303
    with server.browser("bob") as bob:
        assert bob.get("/").text.count("Handed to <strong>you</strong> by ann") == 2
        csrf = csrf_of(bob, "/")
        assert bob.post("/sign-out", data={"csrf": csrf, "with": "release"}).status_code == 303
    assert [action.kind for action in actions(server)[-2:]] == ["released"] * 2
    with server.browser("ann") as ann:
        assert "bob" not in ann.get("/").text


def test_a_claim_whose_holder_signs_out_calls_the_supervisor_who_takes_it_over(server: ConsoleServer) -> None:
    alert = server.alert("AB12CDE")
    with server.browser("ann") as ann, server.browser("sam") as sam:
        do(ann, alert.alert_id, "claim")
        assert called(sam) == ""
        server.clock_offset += timedelta(seconds=10)
        csrf = csrf_of(ann, "/")
        assert "your supervisor is called at once" in ann.post("/sign-out", data={"csrf": csrf}).text
        assert ann.post("/sign-out", data={"csrf": csrf, "with": "keep"}).status_code == 303
        assert wait_until(lambda: called(sam) == alert.alert_id, 60)
        assert "Unattended Claimed by ann, who is signed out." in text_of(sam.get("/"))
        do(sam, alert.alert_id, "take-over")
        assert wait_until(lambda: called(sam) == "", 60)


def test_still_with_it_and_every_other_action_of_the_holder_start_the_time_anew(server: ConsoleServer) -> None:
    alert = server.alert("AB12CDE")
    with server.browser("ann") as ann, server.browser("sam") as sam, server.browser("bob") as bob:
        do(ann, alert.alert_id, "claim")
        for command, fields in (("still-with-it", {}), ("comment", {"note": "still searching"})):
            server.clock_offset += timedelta(minutes=5)
            do(bob, alert.alert_id, "comment", note="ann is with the lorry")
            # The clock may jump before the console has learnt that ann is signed in: then it calls sam for a second.
            assert wait_until(lambda: called(sam) == "", 60)
            server.clock_offset += timedelta(minutes=6)
            assert wait_until(lambda: called(sam) == called(ann) == alert.alert_id, 60)
            assert called(bob) == "", "he can do nothing about it"
            assert "ann, who has done nothing about it since" in text_of(sam.get("/"))
            assert do(ann, alert.alert_id, command, **fields).status_code == 200
            assert wait_until(lambda: called(sam) == called(ann) == "", 60)
        assert do(bob, alert.alert_id, "still-with-it").status_code == 409


def test_a_claim_that_no_supervisor_takes_over_in_time_calls_every_officer_and_any_may_take_it(
    server: ConsoleServer,
) -> None:
    alert = server.alert("AB12CDE")
    with server.browser("ann") as ann, server.browser("bob") as bob:
        do(ann, alert.alert_id, "claim")
        server.clock_offset += timedelta(minutes=11)
        page = f"/incident/{alert.alert_id}"
        assert wait_until(lambda: "Only a supervisor can take this over from ann." in text_of(bob.get(page)), 60)
        assert do(bob, alert.alert_id, "take-over").status_code == 409
        server.clock_offset += timedelta(minutes=2)
        assert wait_until(lambda: called(bob) == alert.alert_id, 60)
        assert "Only a supervisor" not in text_of(bob.get(page))
        assert f'action="{page}/take-over"' in bob.get(page).text
        for of_a_supervisor in ("release", "hand-over"):
            assert do(bob, alert.alert_id, of_a_supervisor, to="bob").status_code == 409
        assert "You have taken this over" in do(bob, alert.alert_id, "take-over").text
        assert wait_until(lambda: called(bob) == "", 60)
        assert do(ann, alert.alert_id, "still-with-it").status_code == 409
        assert "took it over from ann" in text_of(ann.get(page))


@pytest.mark.parametrize("command", ["take-over", "release", "hand-over"])
def test_a_supervisor_ends_only_the_claim_that_the_page_showed(server: ConsoleServer, command: str) -> None:
    alert = server.alert("AB12CDE")
    page = f"/incident/{alert.alert_id}"
    with server.browser("ann") as ann, server.browser("sam") as sam:
        do(ann, alert.alert_id, "claim")
        server.clock_offset += timedelta(minutes=11)
        assert wait_until(lambda: called(sam) == alert.alert_id, 60)
        assert 'name="holder" value="ann"' in sam.get("/").text
        assert 'name="holder" value="ann"' in sam.get(page).text
        do(ann, alert.alert_id, "hand-over", to="bob")
        refused = do(sam, alert.alert_id, command, holder="ann", to="ann")
        assert (refused.status_code, "bob has claimed this since" in refused.text) == (409, True)
        assert do(sam, alert.alert_id, command, holder="bob", to="ann").status_code == 200


def test_of_two_who_take_over_at_once_the_second_learns_that_it_is_not_theirs(server: ConsoleServer) -> None:
    alert = server.alert("AB12CDE")
    with server.browser("bob") as bob, server.browser("sam") as sam:
        do(bob, alert.alert_id, "claim")
        answer = text_of(sam.get(f"/incident/{alert.alert_id}?done=take-over"))
        assert "bob has claimed this now. You have not." in answer
        assert "You have taken this over" not in answer


def test_a_hand_over_lists_who_is_signed_in_first_and_the_receiver_is_called(server: ConsoleServer) -> None:
    alert = server.alert("AB12CDE")
    with server.browser("ann") as ann, server.browser("sam") as sam:
        do(ann, alert.alert_id, "claim")
        csrf = csrf_of(ann, "/")

        def choices() -> list[str]:
            return re.findall(r'<option value="\w+">([^<]*)<', ann.post("/sign-out", data={"csrf": csrf}).text)

        signed_out = [f"{name} (not signed in)" for name in ("bob", "carl", "cleo")]
        assert wait_until(lambda: choices() == ["sam", *signed_out], 60), choices()
        ann.post("/sign-out", data={"csrf": csrf, "with": "hand-over", "to": "sam"})
        assert wait_until(lambda: called(sam) == alert.alert_id, 60)
        assert "Handed to you by ann" in text_of(sam.get(f"/incident/{alert.alert_id}"))
        do(sam, alert.alert_id, "still-with-it")
        assert wait_until(lambda: called(sam) == "", 60)


def test_while_nobody_knows_who_is_signed_in_claims_go_by_time_and_the_page_says_so(
    tmp_path: Path,
) -> None:
    with ValkeyServer(tmp_path / "valkey") as valkey, running_console(tmp_path / "console", valkey.url) as server:
        alert = server.alert("AB12CDE")
        with server.browser("ann") as ann, server.browser("sam") as sam:
            do(ann, alert.alert_id, "claim")
            assert wait_until(lambda: "Only the time since the last action" not in text_of(sam.get("/")), 60)
            valkey.kill()
            assert wait_until(
                lambda: (
                    "Only the time since the last action shows whether a claim is unattended."
                    in text_of(sam.get("/"))
                ),
                60,
            )
            server.clock_offset += timedelta(minutes=5)
            assert called(sam) == ""
            server.clock_offset += timedelta(minutes=6)
            assert wait_until(lambda: called(sam) == alert.alert_id, 60)


def called(browser: httpx.Client) -> str:
    """Return the incidents that call this user on their page."""
    return browser.get("/shift").text.split('data-ringing="')[1].split('"')[0]


def test_incidents_that_do_not_fit_on_the_board_are_counted_and_shown_on_further_pages(server: ConsoleServer) -> None:
    for number in range(130):
        plate = f"MANY{number}"
        read = a_read(plate, plate=plate, captured_at=server.clock())
        server.put(topics.alerts("calais"), an_alert(read, an_entry(plate, plate=plate), raised_at=server.clock()))
    covert = a_read("secret", plate="SECRET1", captured_at=server.clock())
    server.put(
        topics.covert_alerts("calais"), an_alert(covert, an_entry("secret", plate="SECRET1", handling="covert"))
    )
    with server.browser("ann") as ann, server.browser("cleo") as cleo:
        assert wait_until(lambda: ann.get("/board/state").json()["set"]["head"]["by_section"].get("now") == 130, 60)
        assert wait_until(lambda: cleo.get("/board/state").json()["set"]["head"]["by_section"].get("now") == 131, 60)
        board, behind = ann.get("/").text, ann.get("/section/now").text
        assert 'href="/section/now"' in board
        assert "101 to 130 of 130" in behind
        shown = [re.findall(r'aria-labelledby="t-(\w+)"', page) for page in (board, behind)]
        assert [len(ids) for ids in shown] == [100, 30]
        assert len({*shown[0], *shown[1]}) == 130
        assert "of 131" in cleo.get("/section/now").text
        assert "there are only 130" in ann.get("/section/now?from=500").text
        for path in ("/section/none", "/section/now?from=-1", "/section/now?from=x", "/section/now?from=99999999999"):
            assert ann.get(path).status_code == 404
