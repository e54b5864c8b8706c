"""The console as an officer sees it: in a real browser, with everything behind it real and running."""

import random
import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Literal

import httpx
import pytest
import redis
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Locator, Page, Route, expect

from anpr.console.board.stream_limit import MAX_OF_A_SESSION
from anpr.contracts import topics
from anpr.contracts.events import decode_action
from anpr.local.processes import wait_until
from anpr.runtime.clock import system_clock
from tests.support.plain_http import NO_CERTIFICATES
from tests.support.scene import COQUELLES_PLATE, COVERT_PLATE, LEAST_PLATE, URGENT_PLATE, Scene, sign_in

expect.set_options(timeout=60_000)
SINCE = re.compile("No connection to the console since ... ..:..:.. CES?T")


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with Scene(tmp_path_factory.mktemp("scene")) as running:
        yield running


def card(page: Page, incident: str) -> Locator:
    return page.locator(f"#card-{incident}")


def claim(page: Page, incident: str) -> None:
    """Claim on the board, by a key: a pointer that presses just after the list has moved is not obeyed."""
    card(page, incident).get_by_role("button", name="Claim").press("Enter")


def actions_on(scene: Scene, incident: str, site: str = "calais") -> list[str]:
    """Return what officers did to an incident, as it stands on the site's topic."""
    records = scene.installation.records([topics.actions(site)])
    return [a.kind for a in (decode_action(r.value or b"") for r in records) if a.alert_id == incident]


def misread(plate: str) -> str:
    """Return a plate of this scene as a camera may misread it, with one look-alike letter."""
    return "7" + plate.removeprefix("T")


def is_live(page: Page) -> None:
    """Wait until the page's script runs and knows that all is well."""
    expect(page.locator("#tools")).to_be_visible()
    expect(page.locator("#count")).not_to_have_text("?")


def is_live_with_a_clock_to_set(page: Page) -> None:
    """Load the page again with a clock that the test can set, and wait as `is_live` does."""
    page.clock.install()
    page.reload()
    is_live(page)


# --- what comes by, and who has it ---


def test_a_vehicle_appears_by_itself_with_its_instructions_and_is_counted_in_the_title(scene: Scene) -> None:
    with scene.page("calais", "ann") as page:
        is_live(page)
        before = int(page.locator("#count").inner_text())
        page.evaluate("document.activeElement.blur()")
        plate = scene.plate()
        incident = scene.comes_by(plate)
        for words in (
            f"why {plate}",
            "hold in the lane",
            "May be armed",
            "Lane 1",
            "Newest",
        ):
            expect(card(page, incident)).to_contain_text(words)
        expect(page.locator(f"#section-now #card-{incident}.is-newest")).to_be_visible()
        expect(page.locator("#count")).to_have_text(str(before + 1))
        expect(page).to_have_title(re.compile(rf"^\({before + 1}\) "))
        expect(page.locator("#say[aria-live=polite]")).to_contain_text(f"New: {plate}")
        assert page.evaluate("document.activeElement === document.body"), "and nothing took the focus"


def test_what_needs_somebody_stands_first_and_an_officer_sees_their_own_lane_first(scene: Scene) -> None:
    in_lane_2 = {"camera": "calais-1-rear", "lane": "2"}
    with scene.page("calais", "ann") as page:
        is_live(page)
        taken, first = scene.comes_by(scene.plate()), ""
        expect(card(page, taken)).to_be_visible()
        second = scene.comes_by(scene.plate(), **in_lane_2)
        expect(card(page, second)).to_be_visible()
        first = scene.comes_by(scene.plate())
        expect(page.locator(f"#card-{first}.is-newest .card__newest")).to_be_visible()
        expect(card(page, second).locator(".card__newest")).to_be_hidden()

        def order() -> list[str]:
            shown = page.eval_on_selector_all("#section-now > li", "items => items.map((item) => item.id.slice(5))")
            return [incident for incident in shown if incident in {taken, second, first, urgent}]

        urgent = ""
        assert order() == [first, second, taken], "the newest first"
        page.locator("#lane").select_option("2")
        assert order() == [second, first, taken]
        urgent = scene.comes_by(URGENT_PLATE)
        expect(card(page, urgent)).to_be_in_viewport()
        assert order() == [urgent, second, first, taken], "priority 1 is on top, in whichever lane"
        page.reload()
        is_live(page)
        expect(page.locator("#lane")).to_have_value("2")
        assert order() == [urgent, second, first, taken]
        claim(page, taken)
        expect(page.locator(".result")).to_contain_text("You have claimed this")
        page.get_by_role("link", name="Board", exact=True).first.click()
        expect(page.locator(f"#section-dealt #card-{taken}")).to_contain_text("Claimed by you")
        assert order() == [urgent, second, first]


def test_coquelles_sees_what_calais_claims(scene: Scene) -> None:
    with scene.page("calais", "ann") as ann, scene.page("coquelles", "kate") as kate:
        is_live(kate)
        incident = scene.comes_by(scene.plate())
        expect(kate.locator("#section-elsewhere").locator(f"#card-{incident}")).to_be_visible()
        claim(ann, incident)
        expect(ann.locator("#main")).to_contain_text("You have claimed this")
        expect(card(kate, incident)).to_contain_text("Claimed by ann at Calais")


def test_when_two_claim_at_once_one_gets_it_and_the_other_sees_who(scene: Scene) -> None:
    incident = scene.comes_by(scene.plate())
    with scene.page("calais", "ann") as ann, scene.page("calais", "bob") as bob:
        pages = {"ann": ann, "bob": bob}
        for page in pages.values():
            expect(card(page, incident)).to_be_visible()
            page.goto(f"{scene.wires['calais'].url}/incident/{incident}")
        for page in pages.values():
            page.evaluate("document.querySelector('[data-claim]').click()")  # does not wait for the answer
        for page in pages.values():
            expect(page.locator(".result, .govuk-error-summary")).to_be_visible()
        winner, loser = ("ann", "bob") if ann.get_by_role("button", name="Same plate").count() else ("bob", "ann")
        expect(pages[winner].locator(".result")).to_contain_text("You have claimed this")
        reply = pages[loser].locator(".result, .govuk-error-summary")
        expect(reply).to_contain_text(re.compile(f"{winner} (claimed this first|has already claimed this)"))
        expect(pages[loser].locator("[data-check]")).to_have_count(0)


def test_an_outcome_needs_a_plate_check_first_and_can_be_undone(scene: Scene) -> None:
    incident = scene.comes_by(scene.plate())
    with scene.page("calais", "ann") as page:
        claim(page, incident)
        expect(page.get_by_text("Check the plate first.")).to_be_visible()
        expect(page.locator("[name=outcome]")).to_have_count(0)
        page.get_by_role("button", name="Same plate").click()
        page.get_by_label("Stopped, nothing found").check()
        page.get_by_role("button", name="Record the outcome").click()
        expect(page.locator(".card__state")).to_contain_text("Settled")
        page.locator("#timeline li").last.get_by_role("button", name="Undo").click()
        expect(page.locator("#timeline .taken-back")).to_contain_text("undone")
        expect(page.get_by_role("button", name="Record the outcome")).to_be_visible()
        assert actions_on(scene, incident) == ["claimed", "plate_check", "outcome", "retracted"]


def test_a_claim_whose_holder_has_signed_out_calls_the_supervisor_and_a_hand_over_its_receiver(scene: Scene) -> None:
    plate, another = scene.plate(), scene.plate()
    url = scene.wires["calais"].url
    with scene.page("calais", "sam") as sam, scene.page("calais", "ann") as ann, scene.browser.new_context() as own:
        gill = own.new_page()

        def signs_in_and_claims(incident: str) -> None:
            sign_in(gill, url, "gill")
            expect(card(gill, incident)).to_be_visible()
            claim(gill, incident)
            expect(gill.locator(".result")).to_contain_text("You have claimed this")
            gill.get_by_role("button", name="Sign out").click()

        is_live(sam)
        is_live(ann)
        incident = scene.comes_by(plate)
        signs_in_and_claims(incident)
        expect(card(sam, incident)).to_contain_text("Claimed by gill")
        gill.get_by_role("button", name="Keep all and sign out").click()
        expect(card(sam, incident)).to_contain_text("Claimed by gill, who is signed out.")
        expect(sam.locator("#say")).to_contain_text(f"Unattended: {plate}")
        expect(card(ann, incident)).to_contain_text("Unattended")
        expect(card(ann, incident).get_by_role("button", name="Take over")).to_be_hidden()
        expect(card(ann, incident).get_by_text("Ring your supervisor")).to_be_visible()
        card(ann, incident).get_by_role("link", name="Open").press("Enter")
        expect(ann.locator("#main")).to_contain_text("Only a supervisor can take this over from gill.")
        expect(ann.locator("#main")).to_contain_text("Ring sam (signed in).")
        ann.get_by_role("link", name="Board", exact=True).first.click()
        card(sam, incident).get_by_role("button", name="Take over").press("Enter")
        expect(sam.locator(".result")).to_contain_text("You have taken this over")
        sam.get_by_role("button", name="Release").click()
        expect(sam.locator(".result")).to_contain_text("You have released this")
        handed = scene.comes_by(another)
        signs_in_and_claims(handed)
        gill.get_by_role("button", name="Hand over and sign out").click()
        gill.get_by_role("link", name="Select a colleague at this site.").press("Enter")
        expect(gill.get_by_label("Hand over to")).to_be_focused()
        gill.get_by_label("Hand over to").select_option("ann")
        gill.get_by_role("button", name="Hand over and sign out").click()
        expect(ann.locator("#say")).to_contain_text(f"Handed to you by gill: {another}")
        expect(card(ann, handed)).to_contain_text("Handed to you by gill")
        card(ann, handed).get_by_role("button", name="I have it").press("Enter")
        expect(ann.locator("#main")).to_contain_text("Claimed by you")


def test_a_claim_without_an_action_is_unattended_on_every_board_that_it_concerns(scene: Scene) -> None:
    with (
        scene.page("calais", "ann") as ann,
        scene.page("calais", "sam") as sam,
        scene.page("coquelles", "kate") as kate,
    ):
        is_live(sam)
        incident = scene.comes_by(LEAST_PLATE)
        claim(ann, incident)
        expect(ann.locator(".result")).to_contain_text("You have claimed this")
        unattended = f"#section-now #card-{incident}"
        expect(sam.locator(unattended)).to_contain_text("Claimed by ann, who has done nothing about it since")
        expect(sam.locator("#say")).to_contain_text(f"Unattended: {LEAST_PLATE}")
        expect(card(kate, incident)).to_contain_text("Unattended at Calais: nothing done since")
        ann.get_by_role("link", name="Board", exact=True).first.click()
        expect(ann.locator(unattended)).to_contain_text("Claimed by you; you have done nothing about it since")
        card(ann, incident).get_by_role("button", name="Still with it").press("Enter")
        expect(ann.locator(".result")).to_contain_text("You are still with it. The time starts again.")
        assert actions_on(scene, incident) == ["claimed", "attended"]


def test_a_supervisor_takes_a_colleagues_incident_over_before_checking_its_plate(scene: Scene) -> None:
    incident = scene.comes_by(scene.plate())
    with scene.page("calais", "ann") as ann, scene.page("calais", "sam") as sam:
        claim(ann, incident)
        expect(ann.locator(".result")).to_contain_text("You have claimed this")
        expect(card(sam, incident)).to_contain_text("Claimed by ann")
        sam.goto(f"{scene.wires['calais'].url}/incident/{incident}")
        expect(sam.locator("#main")).to_contain_text("Take over first. Then you can check the plate")
        expect(sam.locator("[data-check], [name=outcome]")).to_have_count(0)
        sam.get_by_role("button", name="Take over").click()
        expect(sam.locator(".result")).to_contain_text("You have taken this over")
        sam.get_by_role("button", name="Same plate").click()
        sam.get_by_label("Stopped, nothing found").check()
        sam.get_by_role("button", name="Record the outcome").click()
        expect(sam.locator(".card__state")).to_contain_text("Settled")


def test_an_officer_reads_plain_words_and_nothing_that_is_for_engineers(scene: Scene) -> None:
    incident = scene.comes_by(scene.plate())
    with scene.page("calais", "ann") as page, scene.page("calais", "bob", "/health") as health:
        expect(card(page, incident)).to_be_visible()
        page.goto(f"{scene.wires['calais'].url}/incident/{incident}")
        main = page.locator("#main")
        for words in ("Unclaimed", "Listed by", "Kent Police", "Listed until"):
            expect(main).to_contain_text(words)
        expect(page.locator("dd", has_text="2099")).to_have_text("1 January 2099")  # a day, without a time
        page.get_by_role("button", name="Claim").click()
        expect(main).to_contain_text("Claimed by you")
        expect(page.get_by_role("button", name="Release")).to_be_visible()
        page.get_by_role("button", name="Same plate").click()
        expect(page.locator(".result")).to_have_text("Plate check saved.")
        page.locator("#timeline li").last.get_by_role("button", name="Undo").click()
        expect(page.locator(".result")).to_have_text("Undone. Both stay in the record.")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("button", name="Release all and sign out")).to_be_visible()
        shown = health.locator("#main")
        for words in (
            "System health",
            "Calais: ✓ connected",
            "✓ working",
            "up to date at",
            "(test plates not counted)",
        ):
            expect(shown).to_contain_text(words)
        expect(shown).to_contain_text("No fault is known. Every read has been checked. A badly misread plate can")
        assert not re.search("dead letter|matcher|broker|topic|partition|anpr[.]", shown.inner_text())
        health.locator("summary", has_text="Technical details of Calais").click()
        expect(health.get_by_text("0 dead letters").first).to_be_visible()


def test_a_guess_of_the_camera_is_never_called_exact_and_stands_below_true_readings(scene: Scene) -> None:
    with scene.page("calais", "ann") as page:
        is_live(page)
        read, guessed = scene.plate(), scene.plate()
        sure = scene.comes_by(read)
        expect(card(page, sure)).to_be_visible()
        unsure = scene.comes_by(guessed, read_as="ZZ99ZZZ", candidates=({"plate": guessed, "confidence": 0.9},))
        on_board = card(page, unsure)
        expect(on_board).to_contain_text("Possible: check the plate; the camera's first reading was ZZ99ZZZ")
        expect(on_board.locator(".plates__label")).to_have_text(["Read", "Listed"])
        expect(on_board.locator(".plate__text")).to_have_text(["ZZ99ZZZ", guessed])
        order = page.eval_on_selector_all(".cards > li", "items => items.map((item) => item.id.slice(5))")
        assert order.index(sure) < order.index(unsure), "although it is newer"
        url = f"{scene.wires['calais'].url}/incident/{unsure}"
        for path in (url, f"{scene.wires['calais'].url}/shift"):
            page.goto(path)
            shown = page.locator(".incident" if path == url else f"tr:has(a[href$='{unsure}'])")
            expect(shown).to_contain_text("Possible: check the plate")
            expect(shown).not_to_contain_text("Exact")
        scene.comes_by(guessed)

        def shows_the_true_reading() -> bool:
            page.goto(url)
            return page.locator(".card__sure").inner_text() == "Exact: the same plate"

        assert wait_until(shows_the_true_reading, 60), "the best read is the true one"


def test_an_officer_sees_where_a_vehicle_was_at_every_port(scene: Scene) -> None:
    plate = scene.plate()
    scene.comes_by(plate, "coquelles")
    incident = scene.comes_by(plate)
    with scene.page("calais", "ann") as page:
        claim(page, incident)
        expect(page.locator(".result")).to_contain_text("You have claimed this")

        def is_whole() -> bool:
            """Look the vehicle up: the histories follow the topics a little later than the board."""
            page.goto(f"{scene.wires['calais'].url}/incident/{incident}")
            page.get_by_label("Why are you looking it up?").fill("seen leaving the lane")
            page.get_by_role("button", name="Look it up at every port").click()
            expect(page.locator(".asked")).to_be_visible()
            text = page.locator("main").inner_text()
            return "Seen 2 times" in text and "who did what" in text

        assert wait_until(is_whole, 180)
        expect(page.locator(".missing")).to_contain_text("No answer from Dunkerque")
        stays = page.locator(".stay")
        expect(stays.nth(0)).to_contain_text("Calais")
        expect(stays.nth(0)).to_contain_text(f"why {plate}")
        expect(stays.nth(1)).to_contain_text("Coquelles")
        stays.nth(0).locator("summary").click()
        expect(stays.nth(0)).to_contain_text("ann (Calais) claimed this")


# --- the keyboard, the call, the pause ---


def test_an_officer_deals_with_an_incident_by_keyboard_alone(scene: Scene) -> None:
    incident = scene.comes_by(scene.plate())
    with scene.page("calais", "ann") as page:
        expect(card(page, incident)).to_be_visible()
        page.keyboard.press("?")
        expect(page.get_by_role("dialog")).to_contain_text("next, previous vehicle")
        page.keyboard.press("c")
        expect(page.get_by_role("dialog")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_be_hidden()

        def is_on_it() -> bool:
            page.keyboard.press("n")
            return bool(page.evaluate("document.activeElement.parentElement?.id") == f"card-{incident}")

        assert wait_until(is_on_it, 60)
        page.keyboard.press("c")
        expect(page.locator(".result")).to_contain_text("You have claimed this")
        expect(page.locator("#tools")).to_be_visible()  # from here on keys work
        page.keyboard.press("s")
        expect(page.locator(".result")).to_contain_text("Plate check saved")
        expect(page.locator("#tools")).to_be_visible()  # from here on keys work
        page.keyboard.press("o")
        expect(page.locator("#outcome")).to_be_focused()
        page.keyboard.press("Space")
        page.keyboard.press("Tab")
        page.keyboard.type("one c and one ? are no commands here")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.locator(".card__state")).to_contain_text("Settled")
        expect(page.locator("#timeline")).to_contain_text("one c and one ? are no commands here")
        expect(page.locator("#tools")).to_be_visible()  # from here on keys work
        page.keyboard.press("b")
        over = page.locator("#section-settled").locator(f"#card-{incident}")
        expect(over).to_contain_text("Settled: Stopped, something found by ann at Calais, ")
        expect(over).not_to_contain_text("claimed this")


def test_a_key_pressed_before_the_scripts_have_loaded_still_works(scene: Scene) -> None:
    incident = scene.comes_by(scene.plate())
    delayed: list[Route] = []

    def hold(route: Route) -> None:
        delayed.append(route)

    with scene.page("calais", "ann") as page:
        claim(page, incident)
        expect(page.locator(".result")).to_contain_text("You have claimed this")
        expect(page.locator("#tools")).to_be_visible()  # this page has loaded its scripts; the next one has to wait
        page.add_init_script("performance.now = () => 0")  # however slow this machine is, the key counts as recent
        page.add_init_script("addEventListener('keydown', () => { window.hasKey = true; })")
        page.route("**/static/keys.js", hold)
        with page.expect_request("**/static/keys.js"):
            page.reload(wait_until="commit")
        expect(page.get_by_role("button", name="Same plate")).to_be_visible()

        def key_reaches_the_page() -> bool:
            page.keyboard.press("s")
            return bool(page.evaluate("window.hasKey"))

        # Chromium drops keys itself until the page has been on the screen.
        assert wait_until(key_reaches_the_page, 60)
        delayed[0].continue_()
        expect(page.locator(".result")).to_contain_text("Plate check saved")
        assert actions_on(scene, incident) == ["claimed", "plate_check"]


CALLED = """
window.notified = []; window.tones = 0;
window.Notification = class { constructor(text) { notified.push(text); }
  static permission = "granted"; static requestPermission = async () => "granted"; };
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...when) { tones += 1; return start.apply(this, when); };
"""


def test_nothing_rings_until_the_officer_switches_it_on(scene: Scene) -> None:
    with scene.page("calais", "bob") as page:
        page.add_init_script(CALLED)
        page.reload()
        is_live(page)
        first, second = scene.plate(), scene.plate()
        expect(card(page, scene.comes_by(first))).to_be_visible()
        assert page.evaluate("[tones, notified.length]") == [0, 0]
        expect(page.get_by_role("button", name="Sound: off")).to_be_visible()
        expect(page.get_by_text("you do not hear when a listed vehicle comes")).to_be_visible()
        page.get_by_role("button", name="Leave it off").click()
        expect(page.locator("#ask-sound")).to_be_hidden()
        page.evaluate("sessionStorage.clear()")
        page.reload()
        is_live(page)
        page.get_by_role("button", name="Turn it on, with a test tone").click()
        assert wait_until(lambda: page.evaluate("tones > 0"), 60)
        expect(page.get_by_role("button", name="Sound: on")).to_be_visible()
        expect(page.locator("#ask-sound")).to_be_hidden()
        page.get_by_role("button", name="Sound: on").click()
        for name in ("Sound", "Notify"):
            page.get_by_role("button", name=name).click()
            expect(page.get_by_role("button", name=name)).to_have_attribute("aria-pressed", "true")
        assert wait_until(lambda: page.evaluate("tones > 0"), 60)  # it sounds once, as a trial
        page.evaluate("tones = 0")
        expect(card(page, scene.comes_by(second))).to_be_visible()
        assert wait_until(lambda: page.evaluate("tones > 0 && notified.length == 1"), 60)
        assert second in page.evaluate("notified[0]")
        page.goto(scene.wires["calais"].url + "/shift")
        expect(page.get_by_role("button", name="Notify")).to_have_attribute("aria-pressed", "true")
        scene.comes_by(scene.plate())
        expect(page.locator("#called")).to_have_text("1 NEW: open the board")


def background(page: Page) -> str:
    return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))


def test_a_booth_at_night_gets_a_dark_page_by_the_system_or_by_the_officer_who_has_the_last_word(
    scene: Scene,
) -> None:
    with scene.page("calais", "ann") as page:
        day = background(page)
        page.emulate_media(color_scheme="dark")
        night = background(page)
        assert night != day
        switch = page.get_by_role("button", name="Night screen")
        expect(switch).to_have_attribute("aria-pressed", "true")
        switch.click()
        assert background(page) == day
        page.goto(scene.wires["calais"].url + "/shift")
        assert background(page) == day, "it is kept on this machine"
        page.emulate_media(color_scheme="light")
        switch.click()
        assert background(page) == night


def test_on_a_phone_what_to_do_stands_above_the_reads_and_a_row_of_the_shift_is_a_card(scene: Scene) -> None:
    incident = scene.comes_by(scene.plate())
    with scene.page("calais", "ann") as page:
        page.set_viewport_size({"width": 390, "height": 844})
        expect(card(page, incident)).to_be_visible()
        page.goto(f"{scene.wires['calais'].url}/incident/{incident}")
        claim_at = page.get_by_role("button", name="Claim").bounding_box()
        reads_at = page.get_by_role("heading", name=re.compile("Reads")).bounding_box()
        assert claim_at is not None
        assert reads_at is not None
        assert claim_at["y"] < reads_at["y"]
        page.get_by_role("button", name="Claim").click()
        page.get_by_role("button", name="Same plate").click()
        page.get_by_role("button", name="Record the outcome").click()
        page.get_by_role("alert").get_by_role("link", name="Select an outcome.").click()
        expect(page.locator("[name=outcome]").first).to_be_focused()
        expect(page.locator("#outcome-error")).to_contain_text("Select an outcome.")
        page.goto(scene.wires["calais"].url + "/shift")
        row = page.get_by_role("row").filter(has_text="Calais").first
        where, why = (row.get_by_role("cell").nth(number).bounding_box() for number in (2, 3))
        assert where is not None
        assert why is not None
        assert where["y"] < why["y"], "one below the other"
        assert where["x"] == why["x"]


def test_a_vehicle_turned_away_at_coquelles_rings_at_calais_until_that_is_undone(scene: Scene) -> None:
    incident = scene.comes_by(COQUELLES_PLATE, "coquelles")
    with scene.page("coquelles", "kate") as kate, scene.page("calais", "ann") as ann:
        ann.add_init_script(CALLED)
        ann.reload()
        is_live(ann)
        ann.get_by_role("button", name="Sound").click()
        assert wait_until(lambda: ann.evaluate("tones > 0"), 60)
        claim(kate, incident)
        kate.get_by_role("button", name="Same plate").click()
        kate.get_by_label("Turned away").check()
        kate.get_by_role("button", name="Record the outcome").click()
        expect(kate.locator(".card__state")).to_contain_text("Settled")

        here = ann.locator("#section-now > li", has_text="Turned away at Coquelles")

        def is_seen_at_calais() -> bool:
            """Let it come by: its first read may be a moment before the list is in force there."""
            scene.comes_by(COQUELLES_PLATE)
            return here.count() > 0

        ann.evaluate("tones = 0")
        assert wait_until(is_seen_at_calais, 60)
        assert wait_until(lambda: ann.evaluate("tones > 0"), 60)
        expect(here).to_contain_text(re.compile(r"Turned away at Coquelles at \d\d:\d\d UTC on .* by kate"))
        expect(here).to_contain_text("Reason there: papers to check")
        kate.locator("#timeline li").last.get_by_role("button", name="Undo").click()
        expect(kate.locator("#timeline .taken-back")).to_contain_text("undone")
        expect(here).to_have_count(0)
        expect(ann.locator("#section-settled > li", has_text="Turned away at Coquelles")).to_contain_text("Withdrawn")


def test_nothing_moves_while_the_board_is_paused_or_under_the_pointer(scene: Scene) -> None:
    with scene.page("calais", "ann") as page:
        is_live(page)
        page.get_by_role("button", name="Pause").click()
        waiting = scene.come_by([scene.plate(), scene.plate()])
        expect(page.locator("#waiting")).to_have_text(re.compile(r"^PAUSED\. 2 NEW"))  # time may change other cards
        for incident in waiting:
            expect(card(page, incident)).to_have_count(0)
        page.keyboard.press("u")
        for incident in waiting:
            expect(card(page, incident)).to_be_visible()
        page.get_by_role("button", name="Paused: resume").click()
        page.locator("#section-now > li").first.hover()
        under = scene.comes_by(scene.plate())
        expect(page.locator("#waiting")).to_have_text(re.compile("^1 NEW"))
        expect(card(page, under)).to_have_count(0)
        page.mouse.move(1, 1)
        expect(card(page, under)).to_be_visible()


def test_nothing_moves_under_a_pointer_on_a_button_however_long_it_stays(scene: Scene) -> None:
    before = scene.comes_by(scene.plate())
    with scene.page("calais", "ann") as page:
        expect(card(page, before)).to_be_visible()
        is_live_with_a_clock_to_set(page)
        card(page, before).locator("[data-claim]").hover()
        under = scene.comes_by(scene.plate())
        expect(page.locator("#waiting")).to_have_text(re.compile("^1 NEW"))
        page.clock.fast_forward(20_000)
        expect(page.locator("#waiting")).to_have_text(re.compile("^1 NEW"))
        expect(card(page, under)).to_have_count(0)
        page.mouse.move(1, 1)
        expect(card(page, under)).to_be_visible()


@pytest.mark.parametrize("height", [900, 1600])
def test_a_button_stays_under_the_pointer_when_a_warning_comes_and_goes(scene: Scene, height: int) -> None:
    incident = scene.comes_by(scene.plate())
    with scene.page("calais", "ann", viewport={"width": 1280, "height": height}) as page:
        is_live(page)
        button = card(page, incident).locator("[data-claim]")
        button.hover()
        before = button.bounding_box()
        with scene.frozen("calais"):
            expect(page.locator("#warnings")).to_contain_text("No connection")
            assert button.bounding_box() == before
        expect(page.locator("#warnings")).to_be_empty()
        assert button.bounding_box() == before


JUST_MOVED = "The list has just moved. Press again."


def middle_of(button: Locator) -> tuple[float, float]:
    box = button.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_head_that_became_higher_as_the_page_was_zoomed_moves_no_button_later(scene: Scene) -> None:
    incident = scene.comes_by(scene.plate())
    with scene.page("calais", "ann") as page:
        is_live(page)
        page.set_viewport_size({"width": 640, "height": 900})
        button = card(page, incident).locator("[data-claim]")
        button.hover()
        before = middle_of(button)
        count = page.locator("#count").inner_text()
        scene.comes_by(scene.plate())
        expect(page.locator("#waiting")).to_have_text(re.compile("^1 NEW"))
        expect(page.locator("#count")).not_to_have_text(count)
        assert middle_of(button) == pytest.approx(before, abs=2)


def test_a_press_counts_as_soon_as_a_warning_has_gone_if_its_button_did_not_move(scene: Scene) -> None:
    incident = scene.comes_by(scene.plate())
    with scene.page("calais", "ann") as page:
        is_live_with_a_clock_to_set(page)
        button = card(page, incident).locator("[data-claim]")
        button.hover()
        before = button.bounding_box()
        with scene.frozen("calais"):
            expect(page.locator("#warnings")).to_contain_text("No connection")
            page.clock.set_fixed_time(page.evaluate("Date.now()"))
        expect(page.locator("#warnings")).to_be_empty()
        assert button.bounding_box() == before
        page.mouse.click(*middle_of(button))
        expect(page).to_have_url(re.compile(f"/incident/{incident}"))


def test_a_press_does_not_count_if_the_list_moved_because_a_warning_has_gone(scene: Scene) -> None:
    """A list that was scrolled by less than the height of the warning cannot stay where it is."""
    incident = scene.comes_by(scene.plate())
    with scene.page("calais", "ann") as page:
        is_live_with_a_clock_to_set(page)
        page.mouse.move(1, 1)
        button = card(page, incident).locator("[data-claim]")
        with scene.frozen("calais"):
            expect(page.locator("#warnings")).to_contain_text("No connection")
            page.evaluate("scrollTo(0, 5)")
            button.hover()
            pressed = middle_of(button)
            page.clock.set_fixed_time(page.evaluate("Date.now()"))
        expect(page.locator("#warnings")).to_be_empty()
        assert middle_of(button) != pressed
        page.mouse.click(*middle_of(button))
        expect(page.locator("#say")).to_have_text(JUST_MOVED)


def test_a_vehicle_delisted_by_mistake_is_new_on_the_board_again(scene: Scene) -> None:
    plate = scene.plate()
    it = scene.installation
    with scene.page("calais", "ann") as page:
        incident = scene.comes_by(plate)
        expect(page.locator(f"#section-now #card-{incident}")).to_be_visible()
        assert it.run("watchlist", "remove", plate, "--list", "stolen", "--why", "a mistake").returncode == 0
        expect(page.locator(f"#section-settled #card-{incident}")).to_contain_text("Withdrawn")
        page.get_by_role("button", name="Pause").click()
        assert it.run("watchlist", "rollback", "--list", "stolen", "--why", "it was a mistake").returncode == 0
        expect(page.locator("#waiting")).to_contain_text("1 NEW")
        page.keyboard.press("u")
        expect(page.locator(f"#section-now #card-{incident}")).to_contain_text("Listed again")


# --- for everybody ---

# As wide as a screen, the same at 200 % zoom, and as a telephone.
WIDTHS = (1280, 640, 320)
# Axe checks both themes, each at one width: what differs at 200 % zoom is not the colours, and axe is slow.
THEMES: dict[int, Literal["dark", "light"]] = {1280: "dark", 640: "light"}


# Axe then does not describe every element that is right, which takes it longer than to find what is wrong.
AXE_OPTIONS = {"resultTypes": ["violations"]}


def faults_of(page: Page) -> list[str]:
    """Return what axe finds on the page as it is, wide and at 200 % zoom, and what makes it scroll sideways."""
    found = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        if theme := THEMES.get(width):
            page.emulate_media(color_scheme=theme)
            for violation in Axe().run(page, options=AXE_OPTIONS).response["violations"]:
                elements = [node["html"][:200] for node in violation["nodes"]]
                found.append(f"{width} {theme}: {violation['id']} {elements}")
        if page.evaluate("document.documentElement.scrollWidth") > width:
            found.append(f"{width}: scrolls sideways")
    page.set_viewport_size({"width": 1280, "height": 900})
    return found


def test_axe_finds_nothing_and_nothing_scrolls_sideways_on_any_page(scene: Scene) -> None:
    here, there = scene.comes_by(scene.plate()), scene.comes_by(scene.plate(), "coquelles")
    another = scene.comes_by(scene.plate())
    listed = scene.plate()
    other = scene.comes_by(listed, read_as=misread(listed))
    found: dict[str, list[str]] = {}
    url = scene.wires["calais"].url
    with scene.browser.new_context() as outside, scene.page("calais", "sam") as sam:
        page = outside.new_page()
        page.goto(f"{url}/sign-in")
        found["sign-in"] = faults_of(page)
        sign_in(page, url, "kate")
        expect(page.get_by_role("alert")).to_be_visible()
        found["sign-in refused"] = faults_of(page)
        expect(card(sam, here)).to_be_visible()
        expect(card(sam, there)).to_be_visible()
        expect(card(sam, another)).to_be_visible()
        expect(card(sam, other).locator("mark").first).to_be_visible()
        found["board"] = faults_of(sam)
        sam.get_by_role("button", name="Pause").click()
        scene.comes_by(scene.plate())
        expect(sam.locator("#waiting")).to_be_visible()
        found["board paused"] = faults_of(sam)
        sam.keyboard.press("?")
        found["help"] = faults_of(sam)
        sam.goto(f"{url}/incident/{here}")
        found["incident"] = faults_of(sam)
        sam.get_by_role("button", name="Add comment").click()
        expect(sam.get_by_role("alert")).to_contain_text("Enter a comment.")
        found["incident with an error"] = faults_of(sam)
        sam.get_by_role("button", name="Claim").click()
        sam.get_by_role("button", name="Same plate").click()
        expect(sam.locator("[name=outcome]").first).to_be_visible()
        found["incident claimed"] = faults_of(sam)
        sam.get_by_label("Stopped, nothing found").check()
        sam.get_by_role("button", name="Record the outcome").click()
        expect(sam.locator(".card__state")).to_contain_text("Settled")
        found["incident settled"] = faults_of(sam)
        sam.goto(f"{url}/incident/{another}")
        sam.get_by_role("button", name="Claim").click()
        pages = {
            "shift": "/shift",
            "health": "/health",
            "section": "/section/now?from=0",
            "section that is at its end": "/section/now",
        }
        for name, path in (pages | {"refused": "/audit", "no page": "/none"}).items():
            sam.goto(url + path)
            found[name] = faults_of(sam)
        sam.goto(f"{url}/shift")
        sam.get_by_role("button", name="Sign out").click()
        expect(sam.locator("h1")).to_contain_text("You have claimed 1 incident that is still open")
        found["sign-out"] = faults_of(sam)
    with scene.page("calais", "olga", "/health") as olga, scene.page("calais", "aud", "/audit") as aud:
        found["health of the operator"] = faults_of(olga)
        found["audit"] = faults_of(aud)
    assert not any(found.values()), {name: problems for name, problems in found.items() if problems}


CONTROLS = "a[href],button,input:not([type=hidden]),select,textarea,[tabindex='0']"
# What tells a control from the others, also after its card has been drawn anew.
CONTROL_NAME = """(element) => [element.tagName, element.id, element.className, element.parentElement.className,
    element.form?.getAttribute("action"), ...["href", "formaction", "name", "aria-labelledby", "data-check"]
    .map((name) => element.getAttribute(name))].join(" ")"""
TAB_STOPS = f"""[...document.querySelectorAll("{CONTROLS}")]
    .filter((element) => element.checkVisibility() && !element.closest("dialog")).map({CONTROL_NAME})"""
FOCUSED = f"""document.activeElement == document.body ? null : ({CONTROL_NAME})(document.activeElement)"""


def test_every_control_is_reached_by_the_tab_key_with_visible_focus(scene: Scene) -> None:
    incident = scene.comes_by(scene.plate())
    with scene.page("calais", "ann") as page:
        expect(card(page, incident)).to_be_visible()
        for path in ("/", f"/incident/{incident}", "/shift", "/health", "/section/now?from=0"):
            page.goto(scene.wires["calais"].url + path)
            is_live(page)
            reached: list[str] = []
            for _ in range(2 * len(page.evaluate(TAB_STOPS))):
                page.keyboard.press("Tab")
                focused = page.evaluate(FOCUSED)
                if focused is None or focused in reached[:1]:
                    break  # once round
                reached.append(focused)
                assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none", reached
            assert [control for control in page.evaluate(TAB_STOPS) if control not in reached] == [], (path, reached)


def test_a_key_acts_on_the_focused_vehicle_on_further_pages_of_a_section_too(scene: Scene) -> None:
    incident = scene.comes_by(scene.plate())
    with scene.page("calais", "ann") as page:
        expect(card(page, incident)).to_be_visible()
        page.goto(f"{scene.wires['calais'].url}/section/now?from=0")
        is_live(page)
        page.keyboard.press("c")  # on none, for none has the focus
        page.locator(f"article[aria-labelledby=t-{incident}]").focus()
        page.keyboard.press("c")
        expect(page).to_have_url(re.compile(f"/incident/{incident}"))
        expect(page.locator(".result")).to_contain_text("You have claimed this")


# Whether an element is framed, underlined or outlined: what is left of it in forced colours.
FRAMED = """element => { const style = getComputedStyle(element);
    return style.borderTopStyle != "none" && parseFloat(style.borderTopWidth) >= 1
        && style.borderTopColor != style.backgroundColor; }"""


def test_in_forced_colours_everything_important_has_a_border_and_focus_is_visible(scene: Scene) -> None:
    plate = scene.plate()
    incident = scene.comes_by(plate, read_as=misread(plate))
    with scene.page("calais", "ann", forced_colors="active") as page:
        is_live(page)
        unsure = card(page, incident)
        sure = card(page, scene.comes_by(scene.plate()))
        for mark in (
            unsure.locator("mark"),
            sure.locator(".warning"),
            sure.locator(".card__newest"),
            page.locator("#help-panel .unclaimed"),
            page.locator("#ask-sound"),
            sure.locator(".priority"),
        ):
            assert mark.first.evaluate(FRAMED), mark
        page.get_by_role("button", name="Pause").click()
        assert "✓" in page.evaluate("getComputedStyle(document.querySelector('#pause'), '::before').content")
        scene.comes_by(scene.plate())
        assert page.locator("#waiting").evaluate(FRAMED)
        page.keyboard.press("n")
        focused = "(() => { const style = getComputedStyle(document.activeElement);"
        assert page.evaluate(focused + " return style.outlineStyle + parseFloat(style.outlineWidth) })()") == "solid3"
        with scene.frozen("calais"):
            expect(page.locator("#warnings")).to_contain_text("No connection")
            assert page.locator("#status").evaluate(FRAMED)
            expect(page.locator("#warnings li").first).to_be_visible()


MOVES = """[...document.querySelectorAll("*")].filter((element) => {
    const style = getComputedStyle(element);
    const times = [style.transitionDuration, style.animationDuration].join().split(",").map(parseFloat);
    return Math.max(...times) > 0 || style.scrollBehavior == "smooth";
}).map((element) => element.outerHTML.slice(0, 80))"""


def test_nothing_is_animated_for_people_who_prefer_reduced_motion(scene: Scene) -> None:
    incident = scene.comes_by(scene.plate())
    with scene.page("calais", "ann", reduced_motion="reduce") as page:
        expect(card(page, incident)).to_be_visible()
        for path in ("/", f"/incident/{incident}", "/shift", "/health"):
            page.goto(scene.wires["calais"].url + path)
            is_live(page)
            assert page.evaluate(MOVES) == []


# --- stale never looks quiet ---


def test_a_frozen_stream_is_reported_on_every_page_and_the_count_becomes_a_question_mark(scene: Scene) -> None:
    """One port's console is frozen, and the connection to the other's swallows everything: both at once."""
    incident = scene.comes_by(scene.plate())
    with (
        scene.page("calais", "ann") as board,
        scene.page("calais", "bob", "/shift") as shift,
        scene.page("calais", "olga", "/health") as health,
        scene.page("coquelles", "kate") as board_there,
        scene.page("coquelles", "sam", "/shift") as shift_there,
        scene.page("coquelles", "olga", "/health") as health_there,
    ):
        pages, pages_of_health = (board, shift, board_there, shift_there), (health, health_there)
        for page in pages:
            is_live(page)
        expect(card(board, incident)).to_be_visible()
        for page in pages_of_health:
            as_of = page.locator("#as-of").inner_text()
            expect(page.locator("#as-of")).not_to_have_text(as_of)  # it renews itself
            expect(page.locator("#old")).to_be_hidden()
        with scene.frozen("calais"), scene.swallowed("coquelles"):
            for page in pages:
                expect(page.locator("#warnings")).to_contain_text(
                    re.compile("No connection to the console since .* (CET|UTC)")
                )
                expect(page.locator("#count")).to_have_text("?")
                expect(page).to_have_title(re.compile(r"^\(\?\) "))
                expect(page.locator("#icon")).to_have_attribute("href", "/badge/unknown.svg")
            for page in pages_of_health:
                expect(page.locator("#old")).to_contain_text("OLD")
            claim(board, incident)
            expect(board.locator("#not-sent")).to_contain_text("NOT SENT")
            expect(card(board, incident)).to_be_visible()
        for page in pages:
            is_live(page)
            expect(page.locator("#warnings")).to_be_empty()
        for page in pages_of_health:
            expect(page.locator("#old")).to_be_hidden()
        expect(board.locator("#not-sent")).to_be_hidden()
        assert actions_on(scene, incident) == []
        claim(board, incident)
        expect(board.locator(".result")).to_contain_text("You have claimed this")


def test_a_connection_that_is_lost_silently_is_replaced(scene: Scene) -> None:
    with scene.page("calais", "ann") as page:
        is_live(page)
        page.evaluate("document.title += ' not reloaded'")
        scene.wires["calais"].lose()
        expect(card(page, scene.comes_by(scene.plate()))).to_be_visible()
        is_live(page)
        assert "not reloaded" in page.title()


def test_nothing_is_missed_or_doubled_when_the_connection_breaks_twenty_times(scene: Scene) -> None:
    plates = [scene.plate() for _ in range(12)]
    rng = random.Random(7)
    wanted = []

    wire = scene.wires["calais"]

    def cut() -> None:
        for _ in range(20):
            assert wait_until(lambda: wire.streams > begun[-1], 60), "the page has come back"
            threading.Event().wait(rng.uniform(0, 0.4))
            begun.append(wire.streams)
            wire.cut()

    with scene.page("calais", "ann") as page:
        begun = [wire.streams - 1]
        is_live(page)
        page.evaluate("document.title += ' not reloaded'")
        cutting = threading.Thread(target=cut)
        cutting.start()
        for plate in plates:
            wanted.append("card-" + scene.comes_by(plate))
            page.wait_for_timeout(rng.uniform(0, 1500))
        cutting.join()
        for card_id in wanted:
            expect(page.locator(f"#{card_id}")).to_have_count(1)
        assert len(begun) == 21, "it was cut off twenty times, and came back each time"
        is_live(page)
        on_server = page.evaluate("async () => Object.keys((await (await fetch('/board/state')).json()).set)")
        on_page = page.eval_on_selector_all(".cards > li", "items => items.map(item => item.id)")
        assert sorted(on_page) == sorted(f"card-{name}" for name in on_server if name != "head")
        assert "not reloaded" in page.title()


def test_a_killed_console_comes_back_with_the_same_board_and_the_page_continues(scene: Scene) -> None:
    before = scene.comes_by(scene.plate())
    with scene.page("calais", "ann") as page:
        is_live(page)
        expect(card(page, before)).to_be_visible()
        page.evaluate("document.title += ' not reloaded'")
        scene.installation.supervisor.kill("console-calais")
        after = scene.comes_by(scene.plate())
        expect(card(page, after)).to_be_visible()
        is_live(page)
        expect(card(page, before)).to_have_count(1)
        assert "not reloaded" in page.title()


def test_a_camera_that_stops_seeing_vehicles_is_named(scene: Scene) -> None:
    with scene.page("calais", "ann") as page, scene.page("calais", "bob", "/health") as health:
        is_live(page)
        # Behind "Technical details": after how many reads of the others a camera is silent.
        silence = health.locator("dd", has_text="calais-1-front:")
        expect(silence).not_to_contain_text("calais-1-front: not known yet")
        scene.installation.supervisor.remove("traffic")

        def is_named() -> bool:
            scene.come_by(["NO1LIST"] * 300, camera="calais-1-rear")
            return "camera calais-1-front (lane 1) has seen nothing since" in page.locator("#warnings").inner_text()

        assert wait_until(is_named, 60)
        expect(page.locator("#count")).to_have_text("?")
        expect(health.get_by_role("row", name="calais-1-front")).to_contain_text("✖ sees nothing")
        # Of many reads in one second the matcher counts all, and reports the time of the first.
        scene.comes_by("NO1LIST", camera="calais-1-rear")
        expect(health.get_by_role("row", name="calais-1-rear")).to_contain_text("✓ working")
        scene.start_traffic()  # or this camera, and at a later test the other, would stay silent
        is_live(page)


def test_a_page_without_its_scripts_does_not_look_quiet(scene: Scene) -> None:
    with scene.page("calais", "ann", "/shift") as page:
        page.route("**/static/*.js", lambda route: route.abort())
        page.goto(scene.wires["calais"].url)
        expect(page.locator("#count")).to_have_text("?")
        expect(page.locator("#status")).to_contain_text("not live yet")
        expect(page).to_have_title(re.compile(r"^\(\?\) "))


def test_without_scripts_an_officer_can_take_every_step_and_refresh_the_health_page(scene: Scene) -> None:
    incident = scene.comes_by(scene.plate())
    with scene.page("calais", "ann", java_script_enabled=False) as page:
        url = scene.wires["calais"].url
        page.goto(f"{url}/incident/{incident}")
        page.get_by_role("button", name="Claim").click()
        page.get_by_role("button", name="Different plate").click()
        page.get_by_label("Misread: not this plate").check()
        page.get_by_role("button", name="Record the outcome").click()
        expect(page.locator(".card__state")).to_contain_text("Settled")
        page.goto(f"{url}/health")
        as_of = page.locator("#as-of").inner_text()
        assert wait_until(lambda: f"{system_clock():%S}" not in as_of, 60)
        page.get_by_role("link", name="Refresh").click()
        expect(page.locator("#as-of")).not_to_have_text(as_of)


# --- who may not ---


def test_a_refused_sign_in_gives_the_reason_and_shows_nothing(scene: Scene) -> None:
    with scene.browser.new_context() as context:
        page = context.new_page()
        url = scene.wires["calais"].url
        page.goto(url)
        expect(page).to_have_url(f"{url}/sign-in")
        sign_in(page, url, "sam", "no password of theirs")
        expect(page.get_by_role("alert")).to_contain_text("The name or password is wrong.")
        expect(page.get_by_label("Name")).to_have_value("sam")
        expect(page.get_by_label("Password")).to_have_value("")
        sign_in(page, url, "kate")
        expect(page.get_by_role("alert")).to_contain_text("Your account does not have access to this site.")
        page.goto(url)
        expect(page).to_have_url(f"{url}/sign-in")


def test_an_open_page_whose_session_has_expired_says_so_and_does_nothing(scene: Scene) -> None:
    incident = scene.comes_by(scene.plate(), "dunkerque", camera="dunkerque-1-front")
    with scene.page("dunkerque", "dirk") as page:
        expect(card(page, incident)).to_be_visible()
        expect(page.locator("#warnings")).to_contain_text("You are signed out. This page is OLD.")
        expect(page.locator("#count")).to_have_text("?")
        assert faults_of(page) == []
        claim(page, incident)
        expect(page.locator("#main")).to_contain_text("You are signed out.")
        page.get_by_role("link", name="Sign in").click()
        expect(page.get_by_label("Password")).to_be_visible()
        assert not actions_on(scene, incident, "dunkerque")


@pytest.mark.parametrize(("path", "words"), [("/", "#warnings"), ("/health", "#old")])
def test_a_page_left_open_over_an_upgrade_asks_to_be_reloaded(scene: Scene, path: str, words: str) -> None:
    def is_gone(route: Route) -> None:
        route.fulfill(status=404)

    with scene.page("calais", "ann", path) as page:
        for address in ("**/board/stream?*", "**/board/state", "**/health"):
            page.route(address, is_gone)

        def is_said() -> bool:
            scene.wires["calais"].cut()  # again, where the page had not opened its stream yet
            return "the console has a new version. Reload this page." in page.locator(words).inner_text()

        assert wait_until(is_said, 60)


def test_a_page_that_is_one_too_many_of_a_session_says_that_it_is_old(scene: Scene) -> None:
    with scene.page("calais", "ann") as page, ExitStack() as stack:
        is_live(page)
        url = scene.wires["calais"].url
        cookies = {cookie["name"]: cookie["value"] for cookie in page.context.cookies(url)}
        browser = stack.enter_context(httpx.Client(base_url=url, cookies=cookies, timeout=60, verify=NO_CERTIFICATES))
        for _ in range(MAX_OF_A_SESSION):
            stack.enter_context(browser.stream("GET", "/board/stream"))
        expect(page.locator("#warnings")).to_contain_text(
            "This page is OLD: you opened too many other pages after it."
        )
        expect(page.locator("#count")).to_have_text("?")


def test_a_user_without_the_permission_sees_which_one_is_missing_and_no_buttons(scene: Scene) -> None:
    incident = scene.comes_by(scene.plate())
    with scene.page("calais", "olga") as page:
        expect(page.get_by_role("heading", level=1)).to_contain_text("System health")  # her first page
        page.goto(scene.wires["calais"].url + "/shift")
        expect(page.locator("#main")).to_contain_text("Your role, operator, does not allow you to see the board.")
        expect(page.get_by_role("navigation")).not_to_contain_text("Board")
    with scene.page("calais", "ann") as page:
        expect(card(page, incident)).to_be_visible()
    with scene.page("calais", "aud", f"/incident/{incident}") as page:
        expect(page.locator("#timeline")).to_be_visible()
        expect(page.get_by_role("button")).to_have_text(["Sign out", "Night screen"])


def test_a_forged_form_does_nothing(scene: Scene) -> None:
    incident = scene.comes_by(scene.plate())
    with scene.page("calais", "ann") as page:
        url = scene.wires["calais"].url
        expect(card(page, incident)).to_be_visible()
        for forge in ("element => element.value = 'guessed'", "element => element.remove()"):
            page.goto(f"{url}/incident/{incident}")
            page.locator("form:has([data-claim]) [name=csrf]").evaluate(forge)
            page.get_by_role("button", name="Claim").click()
            expect(page.locator("#main")).to_contain_text("This form is not from your session.")
        # A page of somebody else that the officer is lured to: its form reaches the console without its cookie.
        form = f'<form method="post" action="{url}/incident/{incident}/claim"><button>A prize</button></form>'
        page.route("http://elsewhere.example/", lambda route: route.fulfill(body=form, content_type="text/html"))
        page.goto("http://elsewhere.example/")
        page.get_by_role("button").click()
        expect(page.locator("#main")).to_contain_text("This form was not sent from this console.")
        page.goto(f"{url}/incident/{incident}")
        expect(page.locator("#main")).to_contain_text("Unclaimed")
        assert not actions_on(scene, incident)


def test_a_browser_gets_an_image_only_for_people_who_may_see_its_incident(scene: Scene) -> None:
    jpeg = Path("docs/plates.png").read_bytes()[:60_000]  # whatever it is, it is handed on as it is
    images = [scene.images.put("calais", system_clock(), jpeg) for _ in range(2)]
    covert = scene.comes_by(COVERT_PLATE, image=images[0])
    opened = scene.comes_by(scene.plate(), image=images[1])
    with scene.page("calais", "cleo") as cleo, scene.page("calais", "ann") as ann:
        expect(card(cleo, covert)).to_be_visible()
        expect(card(ann, opened)).to_be_visible()
        expect(card(ann, covert)).to_have_count(0)
        url = scene.wires["calais"].url

        def asked(page: Page, incident: str, alert: str) -> int:
            status: int = page.request.get(f"{url}/incident/{incident}/image/{alert}", max_redirects=0).status
            return status

        assert asked(cleo, covert, covert) == 200
        assert asked(ann, opened, opened) == 200
        assert asked(ann, covert, covert) == 404
        assert asked(ann, opened, covert) == 404, "nor under an incident that is theirs"
        ann.context.clear_cookies()
        assert asked(ann, opened, opened) == 401


def test_a_stopped_broker_is_reported_for_every_port_and_the_count_becomes_a_question_mark(scene: Scene) -> None:
    incident = scene.comes_by(scene.plate())
    with scene.page("calais", "ann") as page:
        is_live(page)
        expect(card(page, incident)).to_be_visible()
        scene.kafka.stop()
        expect(page.locator("#warnings")).to_contain_text("Calais, Coquelles and Dunkerque: cut off since")
        expect(page.locator("#warnings li", has_text="cut off since")).to_have_count(1)
        expect(page.locator("#warnings")).to_contain_text("Ring Coquelles and Dunkerque. Watch the lanes yourself.")
        expect(page.locator("#count")).to_have_text("?")
        expect(page.locator(".section--now .section__empty, .section--now .cards")).not_to_contain_text(
            ["Nothing unclaimed", ""]
        )
        for path in ("/", "/shift", "/health"):
            page.goto(scene.wires["calais"].url + path)
            expect(page.locator("#warnings")).to_contain_text("Calais, Coquelles and Dunkerque: cut off since")
            assert faults_of(page) == [], path
        page.goto(scene.wires["calais"].url)
        claim(page, incident)
        for _ in range(2):
            expect(page.locator(".result--bad").first).to_contain_text("Your claim is waiting to be sent")
            expect(page.locator("[data-claim]")).to_have_count(0)
            page.goto(f"{scene.wires['calais'].url}/incident/{incident}")
        scene.kafka.start()
        page.goto(scene.wires["calais"].url)
        expect(card(page, incident)).to_contain_text("Claimed by you")


def test_officers_are_told_why_they_were_signed_out_when_valkey_comes_back_empty(scene: Scene) -> None:
    """The last test: nobody of the scene is signed in any more."""
    why = "The sign-in service was restarted and has lost who was signed in."
    with scene.page("calais", "ann") as page, redis.Redis.from_url(scene.valkey.url) as client:
        expect(page.locator("#tools")).to_be_visible()
        client.flushall()
        expect(page.locator("#warnings")).to_contain_text(
            f"You are signed out. This page is OLD. {why} Sign in again."
        )
        page.reload()
        expect(page.get_by_label("Password")).to_be_visible()
        expect(page.locator("#main")).to_contain_text(f"You are signed out. {why} Sign in again.")
