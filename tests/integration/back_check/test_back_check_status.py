"""A board knows whether a back-check looks, on real servers: one that is stopped, and is started again."""

import io
from datetime import datetime, timedelta

from rich.console import Console

from anpr.board.board_feed import BoardFeed
from anpr.board.journeys import ALWAYS
from anpr.cli.watch import view_of
from anpr.contracts.events import BACK_CHECK_GONE_AFTER
from anpr.kafka.tail import KafkaTail
from anpr.local.processes import wait_until
from anpr.runtime.clock import system_clock
from anpr.terminal.view import draw
from tests.support.entries import NoLists, entry
from tests.support.installation import Installation

NOBODY = "whether newly listed vehicles have passed already"


class Watch:
    """What `anpr watch` shows of a site, with a clock that a test sets forward: nobody waits for minutes."""

    def __init__(self, it: Installation, site: str) -> None:
        self.ahead = timedelta()
        self._settings, self._site = it.settings, site
        self.feed = BoardFeed(it.settings, KafkaTail, NoLists(), self._now)

    def _now(self) -> datetime:
        return system_clock() + self.ahead

    def is_up_to_date(self) -> bool:
        self.feed.fold_new_records(0.1)
        back_check = self.feed.site_monitor.back_check_health(self._now()).get(self._site)
        status = back_check.status if back_check and back_check.looked_until == ALWAYS else None
        return status is not None and status.behind_since is None

    def text(self) -> str:
        self.feed.fold_new_records(0.1)
        console = Console(record=True, width=200, file=io.StringIO())
        console.print(draw(view_of(self.feed, self._settings, [self._site], self._now()), self._settings.sites, 9))
        return console.export_text()


def test_a_board_says_that_nobody_looks_for_newly_listed_vehicles_until_the_back_check_runs_again(
    installation: Installation,
) -> None:
    it, site = installation, installation.sites[0]
    it.store.apply("stolen", [entry("old", "KL34 XYZ")], "test", system_clock())
    it.start("history", "history", "--site", site)
    it.start_matcher(site, "matcher")
    it.start("back-check", "back-check", "--site", site)
    watch = Watch(it, site)
    watch.feed.start()
    try:
        assert wait_until(watch.is_up_to_date, 60), "it tells so when the search ends"
        [health] = [one for one in watch.feed.health(system_clock()) if one.site == site]
        assert [status.matcher for status in health.matchers] == ["matcher"], "it is no matcher"
        assert not watch.feed.unreadable_records
        it.supervisor.remove("back-check")
        assert NOBODY not in watch.text()
        watch.ahead = BACK_CHECK_GONE_AFTER + timedelta(minutes=1)
        assert wait_until(lambda: NOBODY in watch.text(), 60)
        it.start("back-check", "back-check", "--site", site)
        assert wait_until(watch.is_up_to_date, 60)
        assert NOBODY not in watch.text()
    finally:
        watch.feed.stop()
