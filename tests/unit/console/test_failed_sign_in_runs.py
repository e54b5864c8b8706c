"""An auditor sees the last attempt of each run of failed sign-ins."""

from datetime import timedelta

import msgspec

from anpr.audit.record import AuditEvent, AuditRecord
from anpr.console.auth.failed_sign_in_runs import ADDRESS, TIMES, last_of_each_run
from tests.support.audit import NOON


def failed(minute: float, user: str, times: str, address: str = "10.0.0.1") -> AuditRecord:
    event = AuditEvent(
        operation="sign-in", what="wrong", user=user, role="", details={ADDRESS: address, TIMES: times}
    )
    at = NOON + timedelta(minutes=minute)
    return AuditRecord(sequence=1, previous="", chain="c", at=at, site="calais", service="console-1", event=event)


def shown(*oldest_first: AuditRecord) -> list[tuple[str, str]]:
    runs = last_of_each_run(reversed(oldest_first))
    return [(record.event.user, record.event.details[TIMES]) for record in runs]


def test_of_a_run_only_the_last_attempt_is_shown() -> None:
    assert shown(failed(0, "ann", "1"), failed(1, "ann", "2"), failed(2, "ann", "3")) == [("ann", "3")]


def test_another_name_address_or_stretch_of_minutes_is_another_run() -> None:
    records = failed(0, "ann", "1"), failed(1, "bob", "1"), failed(2, "ann", "1", "10.0.0.2"), failed(9, "ann", "1")
    assert shown(*records) == [("ann", "1"), ("ann", "1"), ("bob", "1"), ("ann", "1")]


def test_who_has_signed_in_and_a_count_that_is_none_are_left_out() -> None:
    signed_in = failed(0, "ann", "1")
    signed_in = msgspec.structs.replace(signed_in, event=msgspec.structs.replace(signed_in.event, details={}))
    assert not shown(signed_in, failed(1, "ann", "many"))
