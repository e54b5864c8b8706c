"""What the demo says at its start can be copied from a terminal of 80 columns, and run."""

import shlex
from pathlib import Path

from anpr.local.next_steps import next_steps

CONSOLES = {"Calais": 28080, "Coquelles": 28081, "Dunkerque": 28082, "Dover": 28083}
PEOPLE = ["officer", "officer2", "supervisor", "covert", "operator", "auditor"]


def test_every_line_fits_80_columns_and_a_small_screen_keeps_room_for_the_board() -> None:
    lines = next_steps(CONSOLES, PEOPLE, "x" * 12, Path("/tmp/anpr-demo-abcdefgh/environment"), "AB12 CDE")  # noqa: S108
    assert max(map(len, lines)) <= 80
    assert len(lines) <= 10
    text = "\n".join(lines)
    assert all(f"{title} " in text and f"http://127.0.0.1:{port}/" in text for title, port in CONSOLES.items())
    assert "Ctrl-C here ends the demo" in text


def test_a_folder_and_a_plate_with_spaces_are_quoted() -> None:
    folder = Path("/home/ann b/demo")
    commands = [shlex.split(line) for line in next_steps(CONSOLES, PEOPLE, "x", folder, "AB 1") if " " in line]
    assert [".", str(folder)] in commands
    assert ["anpr", "vehicle", "AB 1", "--reason", "trying"] in commands


def test_without_a_history_nobody_is_told_to_look_a_vehicle_up() -> None:
    assert not any("anpr vehicle" in line for line in next_steps(CONSOLES, PEOPLE, "x", Path("e"), None))
