"""HTTP around the sandbox: the standard library's server, one thread per connection."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import attrs

from certificates.platform.sandbox.core import Encoded, Sandbox
from certificates.platform.sandbox.world import World

IDLE = 60.0
LONGEST_ADDRESS = 4000  # as the usual servers in front of a platform
LARGEST_BODY = 64 * 1024 * 1024


class _Handler(BaseHTTPRequestHandler):
    server: "_Server"
    protocol_version = "HTTP/1.1"
    # One segment per answer: headers and body apart would wait for a delayed acknowledgement.
    wbufsize = 64 * 1024
    disable_nagle_algorithm = True
    timeout = IDLE

    def _serve(self) -> None:
        if self.server.stopping.is_set():  # on a connection that the client kept open
            self.close_connection = True
            return
        if len(self.path) > LONGEST_ADDRESS:
            self.send_error(HTTPStatus.REQUEST_URI_TOO_LONG)
            return
        parts = urlsplit(self.path)
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        encoded = self.server.sandbox.answer(
            unquote(parts.path),
            query=dict(parse_qsl(parts.query)),
            form=self._form(),
            token=token if scheme == "JWT" else None,
        )
        if encoded.hold:
            self.server.stopping.wait(encoded.hold)
        self.close_connection |= bool(encoded.end)
        if encoded.end != "before":
            self._write(encoded)

    do_GET = do_POST = _serve  # noqa: N815 -- names of the standard library

    def _form(self) -> dict[str, Any]:
        length = min(int(self.headers.get("Content-Length") or 0), LARGEST_BODY)
        raw = self.rfile.read(length)
        if "json" not in self.headers.get("Content-Type", ""):
            return dict(parse_qsl(raw.decode(errors="replace")))
        try:
            document = json.loads(raw)
        except ValueError:
            return {}
        return document if isinstance(document, dict) else {}

    def _write(self, encoded: Encoded) -> None:
        self.send_response(encoded.status)
        for name, value in encoded.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(encoded.body)))
        self.end_headers()
        if not encoded.drip:
            half = len(encoded.body) // 2 if encoded.end else None
            self.wfile.write(encoded.body[:half])
            return
        for byte in encoded.body:
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            if self.server.stopping.wait(encoded.drip):
                return

    def log_message(self, *_args: Any) -> None:
        """Nothing: the query may name learners."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], *, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.stopping = threading.Event()
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: a client that went away, as one with a time-out does, is no fault."""


@attrs.frozen
class Running:
    sandbox: Sandbox
    url: str


@contextmanager
def serve(
    world: World | None = None, *, host: str = "127.0.0.1", port: int = 0
) -> Iterator[Running]:
    """Listens until the end of the block; port 0 takes a free one. OSError: it is taken."""
    sandbox = Sandbox(world or World())
    server = _Server((host, port), sandbox=sandbox)
    sandbox.url = f"http://{host}:{server.server_address[1]}"
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="platform-sandbox"
    )
    thread.start()
    try:
        yield Running(sandbox, sandbox.url)
    finally:
        server.shutdown()
        server.stopping.set()
        server.server_close()
        thread.join()
