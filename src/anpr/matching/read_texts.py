"""The texts by which reads are looked up: their own, their candidates, and both with other umlauts. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from anpr.contracts.events import Read
from anpr.matching import umlauts
from anpr.matching.encoding.columns import Texts
from anpr.matching.encoding.plate_codes import PlateCodes
from anpr.matching.encoding.text_codes import columns_of_texts
from anpr.matching.scoring.confidence_calibration import NO_CALIBRATIONS, Calibrations, calibration_note


class ReadTexts(NamedTuple):
    """The texts of reads, a row for each: first each read's own, then all candidates, then all with other umlauts.

    `originals` has, for each text whose umlauts are written in another way, the text as the camera wrote it.
    """

    read_rows: Sequence[int]
    plates: Sequence[str]
    are_candidates: Sequence[bool]
    originals: dict[int, str]
    columns: Texts

    @property
    def codes(self) -> PlateCodes:
        """The texts as plates."""
        return PlateCodes(*self.columns)

    def calibration_note(self, row: int) -> str:
        """Return what the confidence of a text counts as, in words; "" where it counts as it is."""
        said, counted = self.columns.confidences, self.columns.calibrated
        return "" if said is counted else calibration_note(float(said[row]), float(counted[row]))


def texts_of(reads: Sequence[Read], calibrations: Calibrations = NO_CALIBRATIONS) -> ReadTexts:
    """Return the texts of one read or more."""
    plates, confidences, char_confidences = list[str](), list[float | None](), list[Sequence[float]]()
    of_candidates, confidences_of_candidates, read_rows = list[str](), list[float | None](), list(range(len(reads)))
    for row, read in enumerate(reads):
        # The decoder has dropped a plate that cannot be one, for instance the word UNKNOWN; its candidates count.
        plates.append("" if read.dropped_fields and "plate" in read.dropped_fields else read.plate)
        confidences.append(read.confidence)
        char_confidences.append(read.char_confidences)
        for candidate in read.candidates:
            of_candidates.append(candidate.plate)
            confidences_of_candidates.append(candidate.confidence)
            read_rows.append(row)
    plates += of_candidates
    confidences += confidences_of_candidates
    are_candidates = [False] * len(reads) + [True] * len(of_candidates)
    originals: dict[int, str] = {}
    for row in umlauts.rows_written_otherwise(plates):
        for other in umlauts.written_otherwise(plates[row]):
            originals[len(plates)] = plates[row]
            plates.append(other)
            confidences.append(confidences[row])
            read_rows.append(read_rows[row])
            are_candidates.append(are_candidates[row])
    countries = [reads[row].country for row in read_rows]
    columns = columns_of_texts(plates, countries, confidences, char_confidences, are_candidates)
    if calibrations:
        of_reads = calibrations.rows_of((read.site, read.camera) for read in reads)
        columns = calibrations.apply(columns, of_reads[read_rows])
    return ReadTexts(read_rows, plates, are_candidates, originals, columns)
