"""Expired images are deleted, even if nobody asks for them."""

import asyncio
import threading
from datetime import datetime, timedelta
from pathlib import Path

from anpr.console.image_retention import sweep_images
from anpr.local.processes import wait_until
from anpr.runtime.clock import system_clock
from anpr.runtime.images import ImageStore
from anpr.runtime.settings import ConsoleSettings
from tests.support.web_console import ConsoleServer


def test_a_console_deletes_expired_images(tmp_path: Path, redis_url: str) -> None:
    server = ConsoleServer(tmp_path, redis_url, ConsoleSettings())
    now = system_clock()
    expired = server.images.put("calais", now - timedelta(hours=2), b"old")
    kept = server.images.put("calais", now, b"new")
    server.start()
    try:
        assert wait_until(lambda: not (tmp_path / "images" / expired).exists(), 60)
        assert (tmp_path / "images" / kept).exists()
    finally:
        server.stop()


def test_deleting_is_tried_again_after_an_error_of_the_disk() -> None:
    swept_again = threading.Event()

    class Refusing(ImageStore):
        refused = False

        def sweep(self, now: datetime) -> int:
            if not self.refused:
                self.refused = True
                raise OSError(5, "Input/output error")
            swept_again.set()
            return super().sweep(now)

    async def sweep_and_wait() -> bool:
        store = Refusing(Path("no-such-folder"), timedelta(hours=1))
        task = asyncio.create_task(sweep_images(store, system_clock, seconds_between=0.0))
        again = await asyncio.to_thread(swept_again.wait, 60)
        task.cancel()
        return again

    assert asyncio.run(sweep_and_wait())
