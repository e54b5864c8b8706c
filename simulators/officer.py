"""An officer who turns vehicles away, as the journeys say, and records it as the console does."""

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from typing import Final, NamedTuple

import msgspec

from anpr.contracts import topics
from anpr.contracts.alert_id import alert_id
from anpr.contracts.events import TIERS, Action, Cover, Read, ReadIdentity, encode
from anpr.contracts.readings import SUREST_OF_GUESSES
from simulators.expected_alerts import Watchlist
from simulators.run import written_time
from simulators.traffic import Sighting

NAME: Final = "simulated-officer"
# Hands over the site, the topic, the key and the record.
Publish = Callable[[str, str, str, bytes], None]


class _Seen(NamedTuple):
    """An alert that the officer sees. They compare by how sure they are, the surest first."""

    rank: int
    alert_id: str
    entry_id: str


class Officer:
    """Acts on the surest alert of each pass after which the vehicle is turned away, once the pass is over."""

    def __init__(self, watchlist: Watchlist, publish: Publish) -> None:
        """The alerts follow from `watchlist`, because nobody waits for a matcher here."""
        self._watchlist = watchlist
        self._publish = publish
        # By pass under way: the surest alert so far of each entry.
        self._surest: defaultdict[str, dict[str, _Seen]] = defaultdict(dict)

    def send(self, sighting: Sighting, captured_at: datetime, _: bytes) -> None:
        """Note one published record."""
        vehicle_pass, read = sighting.vehicle_pass, sighting.read
        if not vehicle_pass.turned_away:
            return
        surest = self._surest[vehicle_pass.pass_id]
        for seen in self._alerts_of(read, captured_at):
            surest[seen.entry_id] = min(surest.get(seen.entry_id, seen), seen)
        if sighting.is_last_of_pass:
            del self._surest[vehicle_pass.pass_id]
            if surest:
                self._turn_away(vehicle_pass.pass_id, read.site, captured_at, sorted(surest.values()))

    def idle(self) -> None:
        """Do nothing."""

    def _alerts_of(self, read: Read, captured_at: datetime) -> list[_Seen]:
        """Return the alerts of a read. One by a later guess of the camera is as sure as one by an edit, at best."""
        identity = ReadIdentity(read.site, read.camera, read.read_id, written_time(captured_at))
        surely_read = dict(self._watchlist.expected(msgspec.structs.replace(read, candidates=()), captured_at))
        return [
            _Seen(TIERS.index(surely_read.get(entry_id, SUREST_OF_GUESSES)), alert_id(identity, entry_id), entry_id)
            for entry_id, _ in self._watchlist.expected(read, captured_at)
        ]

    def _turn_away(self, pass_id: str, site: str, at: datetime, seen: list[_Seen]) -> None:
        """Record it for the surest alert; the outcome covers all entries that whoever may know of it has seen."""
        surest = seen[0]
        is_covert = self._watchlist.entry(surest.entry_id).is_covert
        covers = tuple(
            Cover(entry_id=one.entry_id, tier=TIERS[one.rank])
            for one in seen
            if self._watchlist.entry(one.entry_id).is_covert == is_covert
        )
        for kind in ("claimed", "plate_check", "outcome"):
            action = Action(
                action_id=f"{pass_id}-{kind}",
                alert_id=surest.alert_id,
                site=site,
                officer=NAME,
                at=at,
                kind=kind,
                plate_check="same" if kind == "plate_check" else None,
                outcome="turned_away" if kind == "outcome" else None,
                covers=covers if kind == "outcome" else (),
            )
            topic = topics.of_action(topics.AddressedAction(action, is_covert))
            self._publish(site, topic, surest.alert_id, encode(action))
