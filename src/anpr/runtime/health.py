"""What a service says of itself over HTTP: /metrics for Prometheus, /livez and /readyz for whoever supervises it.

They answer different questions. Live: the loop has gone on lately; if not, start this process again, for nothing else
will help. Ready: it does its work; if not, the text says what is missing (a list, a share of the cameras, a broker),
and a restart would mend nothing. A service whose broker is away is live and not ready.
"""

import threading
import time
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import socket
from typing import Any, Self

from prometheus_client.exposition import choose_encoder

from anpr.runtime import metrics

# When all is well a loop stays away from its beat for a second at most: it waits for the broker in such steps.
STUCK_AFTER_SECONDS = 30.0
# How long a readiness check waits for the broker: most supervisors give it a second or two in all.
BROKER_ANSWER_SECONDS = 0.8
_MOST_REQUESTS = 16
_CLIENT_SECONDS = 5


class Health:
    """How a service is. Its loop calls `beat`; any thread may ask."""

    def __init__(
        self,
        service: str,
        missing: Callable[[], Sequence[str]],
        stuck_after_seconds: float = STUCK_AFTER_SECONDS,
        stopwatch: Callable[[], float] = time.monotonic,
    ) -> None:
        """`missing` returns what keeps the service from its work, nothing when it is ready; it may wait a second."""
        self.missing = missing
        self._last_turn = metrics.LAST_TURN.labels(service)
        self._stuck_after_seconds = stuck_after_seconds
        self._stopwatch = stopwatch
        self._beat_at = stopwatch()

    def heartbeat(self) -> None:
        """Say that the loop goes on."""
        self._beat_at = self._stopwatch()
        self._last_turn.set_to_current_time()

    def stuck(self) -> Sequence[str]:
        """Return what says that the loop stands still, nothing while it goes on."""
        seconds = self._stopwatch() - self._beat_at
        return [f"the loop has not gone on for {seconds:.0f} s"] if seconds > self._stuck_after_seconds else []


class HealthServer(ThreadingHTTPServer):
    """Serves a `Health` from a thread of its own. As a context it is started and stopped.

    Attributes:
        server_port: Where it listens, also when port 0 was asked for.
    """

    daemon_threads = True

    def __init__(self, health: Health, host: str, port: int) -> None:
        """Listen at once. Raises OSError when the address cannot be had."""
        self.health = health
        self._room = threading.BoundedSemaphore(_MOST_REQUESTS)
        super().__init__((host, port), _Handler)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.1,), name="health", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread of its own, unless too many are being answered already."""
        if self._room.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer, and leave room for the next one."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: socket | tuple[bytes, socket], client_address: Any) -> None:
        """Say nothing: a client that goes away in the middle is no event."""


class _Handler(BaseHTTPRequestHandler):
    server: HealthServer
    timeout = _CLIENT_SECONDS

    def do_GET(self) -> None:
        match self.path.partition("?")[0]:
            case "/metrics":
                encode, content_type = choose_encoder(self.headers.get("Accept", ""))
                self._answer(200, encode(metrics.REGISTRY), content_type)
            case "/livez":
                self._answer_with(self.server.health.stuck(), "live")
            case "/readyz":
                self._answer_with(self.server.health.missing(), "ready")
            case _:
                self._answer(404, b"/metrics, /livez and /readyz are here\n")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the name that http.server gives it
        """Say nothing: a scrape is no event."""

    def _answer_with(self, wrong: Sequence[str], well: str) -> None:
        lines = wrong or [well]
        self._answer(503 if wrong else 200, "".join(f"{line}\n" for line in lines).encode())

    def _answer(self, status: int, body: bytes, content_type: str = "text/plain; charset=utf-8") -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
