"""The machine of the list keeper gets a wrong time for a while: no entry leaves its list for that."""

import sys
from datetime import timedelta

from anpr.contracts.events import Entry
from anpr.local.processes import wait_until
from anpr.runtime.clock import system_clock
from tests.support.entries import entry
from tests.support.installation import Installation

YEAR_SECONDS = 365 * 24 * 3600


def test_a_clock_that_is_years_ahead_for_a_while_ends_no_entry(installation: Installation) -> None:
    it, now = installation, system_clock()
    soon = timedelta(seconds=1)

    def listed() -> set[str]:
        manifest = it.store.read_manifest()
        assert manifest is not None
        return {one.entry_id for one in it.store.load(manifest) or ()}

    def apply(*entries: Entry) -> None:
        it.store.apply("stolen", entries, "test", system_clock())

    lasting = entry("lasting", "AB1", valid_until=now + timedelta(days=300))
    apply(lasting, entry("ends before", "AB2", valid_until=now + soon))
    clock, log = it.folder / "clock", it.folder / "keep.log"
    command = [sys.executable, "-m", "tests.campaign.jumping_clock", str(clock), *it.command("watchlist", "keep")[3:]]
    it.supervisor.add("keep", command, log=log, env=it.environment)
    assert wait_until(lambda: listed() == {"lasting"}, 120), log.read_text("utf-8")

    clock.write_text(str(10 * YEAR_SECONDS), "utf-8")
    assert wait_until(lambda: not listed() or "nothing expires by it for now" in log.read_text("utf-8"), 60)
    assert listed() == {"lasting"}
    apply(lasting, entry("ends meanwhile", "AB3", valid_until=system_clock() + soon))
    assert wait_until(lambda: listed() == {"lasting"}, 60), "an entry ends when its time has really come"
    clock.unlink()
    it.supervisor.remove("keep")
    assert listed() == {"lasting"}
