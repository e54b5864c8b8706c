"""The health of a service over HTTP: /metrics for Prometheus, /livez and /readyz for its supervisor.

The two paths answer different questions. Live: the loop has run lately; if not, restart the process, because nothing
else helps. Ready: the service does its work; if not, the text names what is missing (a list, a share of the cameras,
a broker), and a restart would not help. A service whose broker is away is live and not ready.
"""

import threading
import time
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import socket
from typing import Any, Self

from prometheus_client.exposition import choose_encoder

from anpr.runtime import metrics

# A healthy loop sends a heartbeat at least once a second, because it waits for the broker in steps of a second.
STUCK_AFTER_SECONDS = 30.0
# How long a readiness check waits for the broker. Most supervisors allow a second or two for the whole check.
BROKER_ANSWER_SECONDS = 0.8
_MAX_REQUESTS = 16
_CLIENT_SECONDS = 5


class Health:
    """The state of a service. Its loop calls `heartbeat`; any thread may ask."""

    def __init__(
        self,
        service: str,
        why_not_ready: Callable[[], Sequence[str]],
        stuck_after_seconds: float = STUCK_AFTER_SECONDS,
        stopwatch: Callable[[], float] = time.monotonic,
    ) -> None:
        """`why_not_ready` returns the reasons, none when the service is ready. It may take a second."""
        self.why_not_ready = why_not_ready
        self._last_run = metrics.LAST_RUN.labels(service)
        self._stuck_after_seconds = stuck_after_seconds
        self._stopwatch = stopwatch
        self._heartbeat_at = stopwatch()

    def heartbeat(self) -> None:
        """Note that the loop runs."""
        self._heartbeat_at = self._stopwatch()
        self._last_run.set_to_current_time()

    def why_stuck(self) -> Sequence[str]:
        """Return that the loop is stuck, nothing while it runs."""
        seconds = self._stopwatch() - self._heartbeat_at
        return [f"the loop has not run for {seconds:.0f} s"] if seconds > self._stuck_after_seconds else []


class HealthServer(ThreadingHTTPServer):
    """Serves a `Health` from its own thread. A `with` block starts and stops it.

    Attributes:
        server_port: The port on which it listens, also when it was opened on port 0.
    """

    daemon_threads = True

    def __init__(self, health: Health, host: str, port: int) -> None:
        """Start to listen. Raises OSError when the address is not free."""
        self.health = health
        self._free_slots = threading.BoundedSemaphore(_MAX_REQUESTS)
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
        """Answer in a new thread, unless too many requests are being answered already."""
        if self._free_slots.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer, then allow the next request."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free_slots.release()

    def handle_error(self, request: socket | tuple[bytes, socket], client_address: Any) -> None:
        """Log nothing: a client that disconnects is no event."""


class _Handler(BaseHTTPRequestHandler):
    server: HealthServer
    timeout = _CLIENT_SECONDS

    def do_GET(self) -> None:
        match self.path.partition("?")[0]:
            case "/metrics":
                encode, content_type = choose_encoder(self.headers.get("Accept", ""))
                self._answer(200, encode(metrics.REGISTRY), content_type)
            case "/livez":
                self._answer_with(self.server.health.why_stuck(), "live")
            case "/readyz":
                self._answer_with(self.server.health.why_not_ready(), "ready")
            case _:
                self._answer(404, b"try /metrics, /livez or /readyz\n")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the name that http.server gives it
        """Log nothing: a scrape is no event."""

    def _answer_with(self, problems: Sequence[str], well: str) -> None:
        lines = problems or [well]
        self._answer(503 if problems else 200, "".join(f"{line}\n" for line in lines).encode())

    def _answer(self, status: int, body: bytes, content_type: str = "text/plain; charset=utf-8") -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
