import json
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anpr.contracts import events
from anpr.runtime.timestamps import to_the_millisecond
from tests.support.strategies import a_read, an_action, an_alert, an_entry, json_values
from tests.support.strategies import events as every_event

EVENTS = pytest.mark.parametrize("name", sorted(every_event))
# The fields in which a newer version may write a value that this version does not know.
ENUMERATED = {
    events.Read: ("direction", "position"),
    events.Entry: ("tolerance", "handling"),
    events.Alert: ("kind", "tier"),
    events.Action: ("kind", "plate_check", "outcome"),
    events.Cover: ("tier",),
}


def decoded(value: bytes, like: msgspec.Struct) -> msgspec.Struct:
    """Decode as the consumers of its topic do, or by its type if it has no topic."""
    if isinstance(like, events.Alert | events.Correction):
        return events.decode_alert_record(value)
    if isinstance(like, events.Action):
        return events.decode_action(value)
    if isinstance(like, events.Status | events.BackCheckStatus):
        return events.decode_status_record(value)
    if isinstance(like, events.Arrival | events.ArrivalsWatched):
        return events.decode_arrival_record(value)
    if isinstance(like, events.AuditHead):
        return events.decode_audit_head(value)
    return msgspec.json.decode(value, type=type(like))


def test_every_published_contract_is_tested_here() -> None:
    assert set(every_event) == set(events.schemas())


@EVENTS
@given(data=st.data())
def test_an_event_survives_the_wire(name: str, data: st.DataObject) -> None:
    event = data.draw(every_event[name])
    assert decoded(events.encode(event), event) == event


@EVENTS
@given(data=st.data())
def test_fields_of_a_later_version_are_ignored(name: str, data: st.DataObject) -> None:
    event = data.draw(every_event[name])
    later = _with_new_fields(json.loads(events.encode(event)), data.draw(json_values))
    assert decoded(json.dumps(later).encode(), event) == event


# In a table by camera, one more name is one more camera.
BY_CAMERA = {"cameras", "clock_offset_seconds", "reused_read_ids", "unknown_cameras"}


def _with_new_fields(value: Any, new: Any) -> Any:
    if isinstance(value, list):
        return [_with_new_fields(inner, new) for inner in value]
    if isinstance(value, dict):
        return {
            "a field of next year": new,
            **{key: inner if key in BY_CAMERA else _with_new_fields(inner, new) for key, inner in value.items()},
        }
    return value


@pytest.mark.parametrize(
    ("contract", "field"), [(type_, field) for type_ in ENUMERATED for field in ENUMERATED[type_]]
)
@given(word=st.text(max_size=64))
def test_a_value_of_a_later_version_is_kept_unchanged(contract: type[msgspec.Struct], field: str, word: str) -> None:
    given = {
        events.Read: a_read(),
        events.Entry: an_entry(),
        events.Alert: an_alert(a_read(), an_entry()),
        events.Action: an_action("action-1", "outcome", "alert-1"),
        events.Cover: events.Cover(entry_id="entry-1", tier="exact"),
    }[contract]
    document = json.loads(events.encode(given))
    document[field] = word
    assert getattr(decoded(json.dumps(document).encode(), given), field) == word


@given(every_event["status"], json_values)
def test_only_the_tag_of_a_back_check_makes_a_status_no_matchers(status: events.Status, word: Any) -> None:
    written = json.dumps({"type": word, **json.loads(events.encode(status))}).encode()
    assert events.decode_status_record(written) == status


@given(st.binary(max_size=200))
def test_bytes_that_are_no_event_raise_an_undecodable_error(value: bytes) -> None:
    for decode in (
        events.decode_alert_record,
        events.decode_action,
        events.decode_status,
        events.decode_status_record,
        events.decode_audit_head,
    ):
        with pytest.raises(events.Undecodable):
            decode(value)


@given(st.datetimes(timezones=st.timezones()))
def test_a_moment_is_in_utc_to_the_millisecond_and_never_later(moment: datetime) -> None:
    try:
        rounded = to_the_millisecond(moment)
    except OverflowError:
        assert moment.year in (1, 9999)
        return
    assert rounded.utcoffset() == timedelta(0)
    assert rounded.microsecond % 1000 == 0
    assert timedelta(0) <= moment - rounded < timedelta(milliseconds=1)
