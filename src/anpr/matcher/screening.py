"""Finds the records of a batch that have to be decoded whole. Nearly all match nothing, and cost little. Pure."""

from collections.abc import Sequence

from anpr.contracts import canary
from anpr.contracts.events import Read
from anpr.kafka.interfaces import Record
from anpr.kafka.record_batch import RecordBatch
from anpr.matcher.camera_sample import CameraSample
from anpr.matching.encoding.columns import Texts
from anpr.matching.encoding.plain_reads import NO_ROW, ReadScanner, Scanned
from anpr.matching.index import Index
from anpr.matching.scoring.confidence_calibration import NO_CALIBRATIONS, Calibrations
from anpr.reads.decoder import decode_read


class Screening:
    """Screens the reads of one site, and keeps a sample of those that match nothing."""

    def __init__(self, site: str, cameras: Sequence[str]) -> None:
        """`cameras` are the names of the site's cameras. A read of another camera is always decoded whole."""
        self._site = site
        self._cameras = [(site, camera) for camera in cameras]
        self._calibrations, self._rows_of_cameras = NO_CALIBRATIONS, NO_CALIBRATIONS.rows_of(self._cameras)
        self._scanner = ReadScanner(site, cameras)
        self._sample = CameraSample()

    def records_to_decode(self, batch: RecordBatch, index: Index) -> list[Record]:
        """Return, in their order, the records that may bring an alert, a correction or a dead letter.

        The rest are usable reads that match nothing: decoding them whole would change nothing that is published.
        """
        scanned = self._scanner.scan(batch.values)
        must_decode = ~scanned.are_plain
        must_decode[scanned.read_rows[index.may_match(self._calibrated(scanned, index.calibrations))]] = True
        # Without a time of arrival a read may have no usable time.
        must_decode[batch.untimed_rows] = True
        rows = must_decode.nonzero()[0].tolist()
        for camera in (scanned.newest_rows != NO_ROW).nonzero()[0].tolist():
            row = int(scanned.newest_rows[camera])
            if must_decode[row]:
                self._sample.forget(camera)
            else:
                self._sample.keep(camera, batch.record(row))
        return [batch.record(row) for row in rows]

    def _calibrated(self, scanned: Scanned, calibrations: Calibrations) -> Texts:
        if not calibrations:
            return scanned.texts
        if calibrations is not self._calibrations:  # they stay the same for many batches
            self._calibrations, self._rows_of_cameras = calibrations, calibrations.rows_of(self._cameras)
        return calibrations.apply(scanned.texts, self._rows_of_cameras[scanned.cameras[scanned.read_rows]])

    def take_sample(self) -> list[Read]:
        """Decode the newest read of each camera since the last call, except those that were to be decoded anyway."""
        reads = (decode_read(record.value, self._site, record.arrived_at) for record in self._sample.take())
        return [read for read in reads if not canary.is_canary_read(read)]
