"""Deletes expired images of plates while the console runs."""

import asyncio

from anpr.runtime.clock import Clock
from anpr.runtime.images import ImageStore
from anpr.runtime.logs import get_logger

SECONDS_BETWEEN_SWEEPS = 600.0

log = get_logger(__name__)


async def sweep_images(images: ImageStore, clock: Clock, seconds_between: float = SECONDS_BETWEEN_SWEEPS) -> None:
    """Delete expired images again and again, until cancelled. Errors of the disk are logged, and it tries again."""
    while True:
        try:
            await asyncio.to_thread(images.sweep, clock())
        except OSError as error:
            log.warning("images cannot be deleted", error=error.strerror)
        await asyncio.sleep(seconds_between)
