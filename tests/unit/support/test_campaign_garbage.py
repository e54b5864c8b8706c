"""The garbage of a campaign is refused by every contract: otherwise it would be traffic."""

import random

import msgspec
import pytest

from anpr.contracts.events import Undecodable, decode_action, decode_alert_record, decode_status
from anpr.reads.decoder import BadRead, decode_read
from tests.campaign.garbage import garbage
from tests.support.strategies import NOON

SOME = [garbage(random.Random(seed), f"garbage-{seed}") for seed in range(300)]


def test_nobody_can_use_it() -> None:
    for value in SOME:
        with pytest.raises(BadRead):
            decode_read(value, "calais", NOON)
        for decode in (decode_alert_record, decode_action, decode_status):
            with pytest.raises((*Undecodable, msgspec.MsgspecError)):
                decode(value)


def test_no_two_records_are_alike_so_that_each_must_have_its_dead_letter() -> None:
    assert len(set(SOME)) == len(SOME)
