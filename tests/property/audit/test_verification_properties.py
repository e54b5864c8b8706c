"""Whoever changes, removes, moves or inserts a record of an audit chain is found out, at the first record touched."""

import msgspec
from hypothesis import assume, given
from hypothesis import strategies as st

from anpr.audit.head import Head
from anpr.audit.record import OPERATIONS, AuditEvent, seal, unseal
from tests.support.audit import sealed_lines, verdict_on

EVENTS = st.builds(
    AuditEvent,
    operation=st.sampled_from(OPERATIONS),
    what=st.just("look-up"),
    user=st.just("anna"),
    role=st.just("officer"),
    reason=st.text(max_size=3),
    details=st.dictionaries(st.sampled_from("ab"), st.text(max_size=3), max_size=2),
)
CHAINS = st.lists(EVENTS, min_size=1, max_size=6).map(sealed_lines)


def head_of(lines: list[bytes]) -> Head:
    last = unseal(lines[-1])
    return Head(last.record.chain, last.record.sequence, last.hash)


@given(CHAINS, st.data())
def test_a_chain_as_it_was_written_has_no_fault_wherever_it_was_cut(lines: list[bytes], data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(lines) - 1))
    heads = [head_of(lines[:end]) for end in data.draw(st.sets(st.integers(1, len(lines))))]
    deleted = head_of(lines[:first]) if first else None
    verdict = verdict_on(lines[first:], deleted, heads)
    assert verdict.fault is None
    assert (verdict.first, verdict.last) == (first + 1, len(lines))


@given(CHAINS, st.data())
def test_a_changed_byte_is_found_at_its_record(lines: list[bytes], data: st.DataObject) -> None:
    number = data.draw(st.integers(0, len(lines) - 1))
    at = data.draw(st.integers(0, len(lines[number]) - 1))
    value = data.draw(st.integers(0, 255))
    assume(lines[number][at] != value)
    lines[number] = lines[number][:at] + bytes([value]) + lines[number][at + 1 :]
    fault = verdict_on(lines).fault
    assert fault is not None
    assert fault.sequence == number + 1


@given(CHAINS, EVENTS, st.data())
def test_a_record_written_anew_with_a_right_hash_is_found(
    lines: list[bytes], event: AuditEvent, data: st.DataObject
) -> None:
    head = head_of(lines)
    number = data.draw(st.integers(0, len(lines) - 1))
    record = unseal(lines[number]).record
    assume(record.event != event)
    lines[number] = seal(msgspec.structs.replace(record, event=event))[1]
    fault = verdict_on(lines, heads=[head]).fault
    assert fault is not None
    assert fault.sequence == (number + 1 if number + 1 < len(lines) else 1)  # the head confirms only the last one


@given(CHAINS, EVENTS, st.data())
def test_a_chain_written_anew_from_some_record_on_is_found_by_the_heads_that_others_keep(
    lines: list[bytes], event: AuditEvent, data: st.DataObject
) -> None:
    events = [unseal(line).record.event for line in lines]
    heads = [head_of(lines[:end]) for end in range(1, len(lines) + 1)]
    number = data.draw(st.integers(0, len(lines) - 1))
    assume(events[number] != event)
    events[number] = event
    fault = verdict_on(sealed_lines(events), heads=heads).fault
    assert fault is not None
    assert fault.sequence == number + 1


@given(CHAINS, st.data())
def test_a_removed_record_is_named(lines: list[bytes], data: st.DataObject) -> None:
    head = head_of(lines)
    number = data.draw(st.integers(0, len(lines) - 1))
    del lines[number]
    fault = verdict_on(lines, heads=[head]).fault
    assert fault is not None
    assert fault.sequence == number + 1


@given(CHAINS, st.data())
def test_of_moved_records_the_first_is_named(lines: list[bytes], data: st.DataObject) -> None:
    one, other = sorted(data.draw(st.tuples(*[st.integers(0, len(lines) - 1)] * 2)))
    assume(one != other)
    lines[one], lines[other] = lines[other], lines[one]
    fault = verdict_on(lines).fault
    assert fault is not None
    assert fault.sequence == one + 1


@given(CHAINS, CHAINS, st.data())
def test_an_inserted_record_is_found_where_it_stands(
    lines: list[bytes], others: list[bytes], data: st.DataObject
) -> None:
    head = head_of(lines)
    number = data.draw(st.integers(0, len(lines)))
    inserted = data.draw(st.sampled_from([*others, *lines, b"x\n"]))
    assume(inserted not in lines[number : number + 1])  # else the one after it is the one inserted
    lines.insert(number, inserted)
    assume(lines != others[: len(lines)])  # else it was not inserted: the chain goes on with it
    fault = verdict_on(lines, heads=[head]).fault
    assert fault is not None
    assert fault.sequence <= number + 1
