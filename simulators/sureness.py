"""How sure a camera says it is of each character, and what else it thinks possible.

The measured reads hold one confidence each, so what is here is estimated: as in engines of that kind the confidence
is the mean over the characters, and a doubtful character takes most of what is missing to 1. It is a hint and no
proof: many a wrong character is told surely, and many a right one in doubt.
"""

from random import Random

from anpr.contracts.events import Candidate
from simulators.ocr import HEAVY_FROM, Reading, Recogniser

_LEAST = 0.05
# How often the true text is among the candidates of a misread: of one with one or two edits, and of one with more.
TRUE_CANDIDATE_SHARES = (0.5, 0.15)
# How often other texts are, one at a time; of a right read too.
OTHER_CANDIDATE_SHARE = 0.25
# How sure it is of one, as a share of how sure it is of its reading.
CANDIDATE_CONFIDENCES = (0.3, 0.95)


def char_confidences(reading: Reading, rng: Random) -> tuple[float, ...]:
    """Return one confidence for each character. Their mean is that of the reading, but for what is cut off below."""
    missing = len(reading.text) * (1 - reading.confidence)
    taken = [doubt * rng.expovariate(1.0) for doubt in reading.doubts]
    total = sum(taken) or 1.0
    return tuple([round(max(_LEAST, 1 - missing * part / total), 3) for part in taken])


def candidates(plate: str, reading: Reading, recogniser: Recogniser, rng: Random) -> tuple[Candidate, ...]:
    """Return what the camera thinks possible besides its reading of the plate, likeliest first."""
    texts = []
    if reading.damage is not None and reading.text != plate:
        share = TRUE_CANDIDATE_SHARES[reading.damage >= HEAVY_FROM]
        if rng.random() < share:
            texts.append(plate)
    if reading.text and rng.random() < OTHER_CANDIDATE_SHARE:
        doubtful = max(range(len(reading.text)), key=reading.doubts.__getitem__)
        place = doubtful if reading.doubts[doubtful] > 1 else int(rng.random() * len(reading.text))
        other = recogniser.mistaken(reading.text[place], rng)
        texts.append(reading.text[:place] + other + reading.text[place + 1 :])
    sure = sorted((reading.confidence * rng.uniform(*CANDIDATE_CONFIDENCES) for _ in texts), reverse=True)
    rng.shuffle(texts)
    return tuple(
        Candidate(plate=text, confidence=round(confidence, 3))
        for text, confidence in zip(dict.fromkeys(texts), sure, strict=False)
    )
