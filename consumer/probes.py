"""The consumer's own port, for supervisors: /healthz, /readyz and /metrics of this one process."""

import json
import threading
from collections.abc import Callable
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST

from consumer import exposition
from consumer.watch import Heartbeat

_JSON: Final = "application/json"


class Probes:
    """Serves until `close`. Nothing of it asks the database or Redis: it tells what the consumer
    saw at its last beat. Raises OSError when the port is in use.
    """

    def __init__(
        self, heartbeat: Heartbeat, *, bind: str, port: int, clock: Callable[[], datetime]
    ) -> None:
        class Handler(BaseHTTPRequestHandler):
            timeout = 5

            def do_GET(self) -> None:
                status, kind, body = answer(self.path, heartbeat, now=clock())
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_args: object) -> None:
                """Probes come every few seconds."""

        self._server = ThreadingHTTPServer((bind, port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, name="probes", daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def answer(path: str, heartbeat: Heartbeat, *, now: datetime) -> tuple[int, str, bytes]:
    """Status, content type and body."""
    path = path.partition("?")[0].rstrip("/")
    if path == "/healthz":
        return 200, "text/plain", b"ok\n"
    if path == "/readyz":
        waits_for = heartbeat.waits_for
        body = {"ready": not waits_for, "waits_for": waits_for}
        return (503 if waits_for else 200), _JSON, json.dumps(body).encode()
    if path == "/metrics":
        row = heartbeat.row()
        found = [*exposition.of_consumers([row], now=now)]
        found += exposition.of_streams({row.group: heartbeat.gauges()})
        return 200, CONTENT_TYPE_LATEST, exposition.render(found)
    return 404, "text/plain", b"not here\n"
