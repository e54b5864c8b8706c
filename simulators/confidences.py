"""The confidence that a camera reports for each character, and the other texts that it thinks possible.

The measured reads have one confidence each, so the shares here are estimates. As in engines of that kind, a read's
confidence is the mean over its characters, and a doubtful character takes most of what is missing to 1. The
confidence of a character is a hint and no proof: many wrong characters have a high one, and many right ones a low
one.
"""

from random import Random

from anpr.contracts.events import Candidate
from simulators.ocr import HEAVY_FROM, Reading, Recogniser

_LEAST = 0.05
# How often the true text is among the candidates of a misread with one or two edits, and of one with more.
TRUE_CANDIDATE_SHARES = (0.5, 0.15)
# How often another text is among the candidates, also of a right read.
OTHER_CANDIDATE_SHARE = 0.25
# The confidence of a candidate, as a share of the confidence of the read.
CANDIDATE_CONFIDENCES = (0.3, 0.95)


def char_confidences(reading: Reading, rng: Random) -> tuple[float, ...]:
    """Return one confidence for each character. Their mean is that of the reading, unless one was cut off below."""
    missing = len(reading.text) * (1 - reading.confidence)
    doubts = [doubt * rng.expovariate(1.0) for doubt in reading.doubts]
    total = sum(doubts) or 1.0
    return tuple([round(max(_LEAST, 1 - missing * part / total), 3) for part in doubts])


def candidates(plate: str, reading: Reading, recogniser: Recogniser, rng: Random) -> tuple[Candidate, ...]:
    """Return the other texts that the camera thinks possible, the likeliest first."""
    texts = []
    if reading.damage is not None and reading.text != plate:
        share = TRUE_CANDIDATE_SHARES[reading.damage >= HEAVY_FROM]
        if rng.random() < share:
            texts.append(plate)
    if reading.text and rng.random() < OTHER_CANDIDATE_SHARE:
        doubtful = max(range(len(reading.text)), key=reading.doubts.__getitem__)
        position = doubtful if reading.doubts[doubtful] > 1 else int(rng.random() * len(reading.text))
        other = recogniser.mistaken(reading.text[position], rng)
        texts.append(reading.text[:position] + other + reading.text[position + 1 :])
    candidate_confidences = sorted(
        (reading.confidence * rng.uniform(*CANDIDATE_CONFIDENCES) for _ in texts), reverse=True
    )
    rng.shuffle(texts)
    return tuple(
        Candidate(plate=text, confidence=round(confidence, 3))
        for text, confidence in zip(dict.fromkeys(texts), candidate_confidences, strict=False)
    )
