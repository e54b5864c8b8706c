"""A topic that history follows: what it says while the broker or the store refuses, and that it goes on."""

import pytest

from anpr.history import followed_topic
from anpr.history.database import HistoryUnavailableError
from anpr.history.followed_topic import FollowedTopic
from anpr.kafka.delivery_errors import RejectedError
from anpr.kafka.offset_reader import OffsetReader


class ScriptedRecorder:
    """Raises what the script says, one error a pass, then works."""

    def __init__(self, script: list[Exception]) -> None:
        self.script = script
        self.openings = 0

    def open(self, _: OffsetReader) -> "ScriptedRecorder":
        self.openings += 1
        self.has_caught_up = False
        return self

    def run_once(self, _: float) -> None:
        if self.script:
            raise self.script.pop(0)
        self.has_caught_up = True


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (HistoryUnavailableError("the history file x.sqlite: database or disk is full"), "disk is full"),
        (RejectedError("anpr.calais.reads.v1: not authorised", "kafka-not-authorised"), "not authorised"),
    ],
)
def test_after_a_refusal_it_says_why_and_goes_on_from_what_is_stored(
    error: Exception, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(followed_topic, "RETRY_SECONDS", 0)
    recorder = ScriptedRecorder([error, error])
    topic = FollowedTopic("127.0.0.1:9", "anpr.calais.reads.v1", "group", dict, recorder.open)
    assert topic.why_not_ready() == ["the broker at 127.0.0.1:9 has not answered for anpr.calais.reads.v1 yet"]
    for _ in range(2):
        topic.run_once(0)
        [problem] = topic.why_not_ready()
        assert reason in problem
        assert not topic.has_caught_up
    topic.run_once(0)
    assert topic.why_not_ready() == []
    assert topic.has_caught_up
    assert recorder.openings == 3, "each time it asks the store again where to read on"
    topic.close()


def test_it_waits_a_second_before_it_tries_again() -> None:
    recorder = ScriptedRecorder([HistoryUnavailableError("full")])
    topic = FollowedTopic("127.0.0.1:9", "anpr.calais.reads.v1", "group", dict, recorder.open)
    for _ in range(3):
        topic.run_once(0)
    assert recorder.openings == 1
    topic.close()
