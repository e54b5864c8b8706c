"""An officer who turns vehicles away, as the journeys say, and records it as the console does."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from anpr.contracts import topics
from anpr.contracts.alert_id import alert_id
from anpr.contracts.events import TIERS, Action, ReadIdentity, encode
from simulators.expected_alerts import Watchlist
from simulators.run import written_time
from simulators.traffic import Sighting

NAME: Final = "simulated-officer"
# Hands over the site, the topic, the key and the record.
Publish = Callable[[str, str, str, bytes], None]


class Officer:
    """Acts on the surest alert of each pass after which the vehicle is turned away, once the pass is over."""

    def __init__(self, watchlist: Watchlist, publish: Publish) -> None:
        """The alerts follow from `watchlist`, because nobody waits for a matcher here."""
        self._watchlist = watchlist
        self._publish = publish
        # By pass under way: the position of the tier, the id of the alert and the entry of the surest alert so far.
        self._surest: dict[str, tuple[int, str, str]] = {}

    def send(self, sighting: Sighting, captured_at: datetime, _: bytes) -> None:
        """Note one published record."""
        vehicle_pass, read = sighting.vehicle_pass, sighting.read
        if not vehicle_pass.turned_away:
            return
        identity = ReadIdentity(read.site, read.camera, read.read_id, written_time(captured_at))
        for entry_id, tier in self._watchlist.expected(read, captured_at):
            known = self._surest.get(vehicle_pass.pass_id)
            found = (TIERS.index(tier), alert_id(identity, entry_id), entry_id)
            self._surest[vehicle_pass.pass_id] = min(known or found, found)
        if sighting.is_last_of_pass and vehicle_pass.pass_id in self._surest:
            self._turn_away(vehicle_pass.pass_id, read.site, captured_at)

    def idle(self) -> None:
        """Do nothing."""

    def _turn_away(self, pass_id: str, site: str, at: datetime) -> None:
        _, alert, entry_id = self._surest.pop(pass_id)
        is_covert = self._watchlist.entry(entry_id).is_covert
        for kind in ("claimed", "plate_check", "outcome"):
            action = Action(
                action_id=f"{pass_id}-{kind}",
                alert_id=alert,
                site=site,
                officer=NAME,
                at=at,
                kind=kind,
                plate_check="same" if kind == "plate_check" else None,
                outcome="turned_away" if kind == "outcome" else None,
            )
            topic = topics.of_action(topics.AddressedAction(action, is_covert))
            self._publish(site, topic, alert, encode(action))
