"""Which dead letters are sent again, and how they are printed."""

from collections.abc import Sequence

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from anpr.contracts.dead_letters import DeadLetter, Replay, replay
from anpr.contracts.events import encode
from tests.support.losses import a_loss
from tests.support.strategies import NOON


def a_letter(
    number: int,
    value: bytes = b"?",
    *,
    is_whole: bool = True,
    is_replayed: bool = False,
    has_failed_again: bool = False,
) -> DeadLetter:
    return DeadLetter(
        site="calais",
        at=NOON,
        number=number,
        reason="not JSON",
        detail="at byte 1",
        topic="anpr.calais.reads.v1",
        partition=0,
        offset=number,
        size_bytes=len(value),
        is_whole=is_whole,
        is_replayed=is_replayed,
        has_failed_again=has_failed_again,
        value=value,
    )


def replayed(letters: Sequence[DeadLetter], *, again: bool = False) -> tuple[list[bytes], Replay]:
    sent: list[bytes] = []
    return sent, replay(letters, lambda letter: sent.append(letter.value), again=again)


def test_each_content_is_sent_once_in_its_original_bytes() -> None:
    sent, done = replayed([a_letter(1, b"\xff"), a_letter(2, b"b"), a_letter(3, b"\xff")])
    assert sent == [b"\xff", b"b"]
    assert done == Replay(sent=2, sent_before=1)


def test_a_replayed_record_is_not_sent_again_and_neither_is_its_second_failure() -> None:
    letters = [a_letter(1, b"a", is_replayed=True), a_letter(2, b"a"), a_letter(3, b"b")]
    assert replayed(letters)[0] == [b"b"]
    assert replayed(letters, again=True)[0] == [b"a", b"b"]


def test_a_record_that_failed_again_is_not_sent_a_third_time_even_without_its_first_failure() -> None:
    letters = [a_letter(5, b"a", has_failed_again=True), a_letter(6, b"b")]
    assert replayed(letters) == ([b"b"], Replay(sent=1, sent_before=1))
    assert replayed(letters, again=True)[0] == [b"a", b"b"]


def test_a_record_that_was_cut_short_is_never_sent() -> None:
    sent, done = replayed([a_letter(1, is_whole=False)], again=True)
    assert (sent, done) == ([], Replay(cut_short=1))


LETTERS = st.lists(st.tuples(st.sampled_from([b"a", b"b", b"c"]), st.booleans()), max_size=12)


@given(contents=LETTERS, until=st.integers(0, 12))
def test_every_whole_content_is_sent_by_one_of_two_replays_and_none_by_both(
    contents: list[tuple[bytes, bool]], until: int
) -> None:
    letters = [a_letter(number, value, is_whole=whole) for number, (value, whole) in enumerate(contents)]
    first, _ = replayed(letters[:until])
    second, _ = replayed(
        [
            a_letter(letter.number, letter.value, is_whole=letter.is_whole, is_replayed=letter.number < until)
            for letter in letters
        ]
    )
    whole = {value for value, is_whole in contents if is_whole}
    assert sorted(first + second) == sorted(whole)


def test_the_content_of_a_record_is_printed_only_on_request() -> None:
    letter = a_letter(1, b'{"plate": "AB12CDE"\xff')
    assert "AB12" not in str(letter.as_dict(with_content=False))
    assert letter.as_dict(with_content=True)["content"] == '{"plate": "AB12CDE"\\xff'


def test_a_dead_letter_of_deleted_reads_says_how_many_and_is_never_sent() -> None:
    loss = a_loss(2, 4, 6)
    letter = msgspec.structs.replace(a_letter(4, encode(loss)), reason="gone")
    assert replayed([letter], again=True) == ([], Replay(gone=1))
    assert not letter.can_be_replayed
    printed = msgspec.json.decode(msgspec.json.encode(letter.as_dict(with_content=False)))
    assert (printed["reason"], printed["loss"]) == ("gone", msgspec.to_builtins(loss))


def test_a_read_with_the_bytes_of_a_loss_is_a_read() -> None:
    letter = a_letter(4, encode(a_loss(2, 4, 6)))
    assert replayed([letter]) == ([letter.value], Replay(sent=1))
    assert "loss" not in letter.as_dict(with_content=False)
