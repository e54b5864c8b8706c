"""The backup that the engineers' page shows, run beside the service that writes the files."""

import os
import re
import subprocess
from contextlib import closing
from pathlib import Path

from anpr.history.closed_days import ClosedDays
from anpr.history.sighting_store import SightingStore, sightings_of_day
from anpr.history.sql_tables import SIGHTING_TABLES
from anpr.history.sqlite_days import SqliteDays
from tests.support.history import read_record, record_all

PAGE = Path(__file__).parents[3] / "docs" / "engineers.md"
A_DAY = 86_400


def back_up(machine: Path) -> None:
    """Run the commands of the page that make a backup."""
    block = next(
        block for block in re.findall(r"```sh\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL) if "cp -" in block
    )
    commands = [line for line in block.splitlines() if not line.startswith("anpr ")]
    assert len(commands) == 2
    subprocess.run(
        ["sh", "-ec", "\n".join(commands)],  # noqa: S607  the machine's shell, as a person's
        check=True,
        cwd=machine,
        env=os.environ | {"ANPR_HISTORY__FOLDER": str(machine / "history")},
    )


def test_each_backup_has_every_closed_day_whole_although_an_earlier_one_copied_it_in_the_middle(
    tmp_path: Path,
) -> None:
    store = SightingStore(SqliteDays(tmp_path / "history" / "calais" / "sightings", SIGHTING_TABLES))
    with closing(store):
        for number in range(4):
            seconds = number * A_DAY
            record_all(store, read_record(2 * number, seconds), read_record(2 * number + 1, seconds))
            back_up(tmp_path)
            record_all(store, read_record(100 + number, seconds))
        back_up(tmp_path)
        backup = ClosedDays(tmp_path / "backup" / "calais" / "sightings")
        *closed, newest = store.days()
        assert (len(closed), backup.days()) == (3, [*closed, newest])
        for day in closed:
            backup.check(day)
            assert list(sightings_of_day(backup, day)) == list(store.of_day(day))
