"""HTTP around the sandbox: the standard library's server, one thread per connection."""

from __future__ import annotations

import base64
import binascii
import json
import logging
import socket
import struct
import sys
import threading
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from credly_client.sandbox.core import Encoded, Sandbox
from credly_client.sandbox.messages import Call, Refusal

log = logging.getLogger("credly_client.sandbox")

LARGEST_BODY = 1024 * 1024
IDLE = 60.0
NO_LINGER = struct.pack("ii", 1, 0)
"""SO_LINGER on, 0 seconds: closing sends a reset, not an end."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    server_version = "CredlySandbox"
    # One segment per answer: headers and body apart would wait for a delayed acknowledgement.
    wbufsize = 64 * 1024
    disable_nagle_algorithm = True
    timeout = IDLE

    def _serve(self) -> None:
        try:
            call = self._read_call()
        except Refusal as refusal:
            self.close_connection = True
            body = json.dumps(refusal.reply().document).encode()
            self._write(
                Encoded(
                    status=refusal.status, headers={"Content-Type": "application/json"}, body=body
                )
            )
            return
        answer = self.server.sandbox.answer(call)
        if answer.hold:
            self.server.sandbox.stopping.wait(answer.hold)
        if answer.end is not None:
            self.close_connection = True
            if answer.end == "reset":
                self.server.reset_at_end(self.connection)
            return
        self._write(answer)

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815  (names of the standard library)

    def _read_call(self) -> Call:
        parts = urlsplit(self.path)
        return Call(
            method=self.command,
            path=parts.path.strip("/"),
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            body=self._read_body(),
            **_credentials(self.headers.get("Authorization", "")),
            now=datetime.now(UTC),
            url=self.server.sandbox.url,
            wants_html="text/html" in self.headers.get("Accept", ""),
        )

    def _read_body(self) -> dict[str, Any]:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or "Transfer-Encoding" in self.headers:
            raise Refusal(HTTPStatus.LENGTH_REQUIRED, "A Content-Length is needed")
        if int(length) > LARGEST_BODY:
            raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Body too large")
        raw = self.rfile.read(int(length))
        if not raw:
            return {}
        if "form-urlencoded" in self.headers.get("Content-Type", ""):
            return dict(parse_qsl(raw.decode(errors="replace"), keep_blank_values=True))
        try:
            body = json.loads(raw)
        except ValueError as error:
            raise Refusal(HTTPStatus.BAD_REQUEST, "The body is not JSON") from error
        if not isinstance(body, dict):
            raise Refusal(HTTPStatus.BAD_REQUEST, "The body is not an object")
        return body

    def _write(self, answer: Encoded) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if not answer.drip:
            self.wfile.write(answer.body)
            return
        for byte in answer.body:
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            if self.server.sandbox.stopping.wait(answer.drip):
                return

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ARG002  (inherited)
        # The query may name a learner: method, path and status say enough.
        log.debug("%s %s", self.command, urlsplit(self.path).path)


def _credentials(header: str) -> dict[str, Any]:
    """What `Call` wants of the header. The colon of Basic authentication may be missing."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return {"bearer": value.strip()}
    if scheme.lower() != "basic":
        return {}
    try:
        user, _, password = base64.b64decode(value.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return {}
    return {"token": user, "password": password}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], *, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self._open: set[socket.socket] = set()
        self._to_reset: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def reset_at_end(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        self._to_reset.add(connection)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        if request in self._to_reset:
            self._to_reset.discard(request)
            self.close_request(request)
        else:
            super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002  (inherited)
        error = sys.exception()
        # A client that went away, as one with a time-out does, is no fault.
        if not isinstance(error, OSError):
            log.error("A call failed", exc_info=error)

    def hang_up(self) -> None:
        """Ends the connections that clients keep open, so that nothing answers after a stop."""
        for connection in tuple(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


class Running:
    """A sandbox that listens. A context manager: leaving it stops everything.

    `url`: `http://127.0.0.1:8090`; `api_url`: the base URL for a client; `oauth_url`: where it
    gets its access tokens.
    """

    def __init__(self, sandbox: Sandbox, *, host: str, port: int) -> None:
        self.sandbox = sandbox
        self._server = _Server((host, port), sandbox=sandbox)
        self.port = self._server.server_address[1]
        self.url = f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{self.port}"  # noqa: S104  (compared, not bound)
        self.api_url = f"{self.url}/v1/"
        self.oauth_url = f"{self.url}/oauth/token"
        sandbox.url = self.url
        sandbox.start()
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.05},
            name="sandbox-http",
            daemon=True,
        )
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        self._server.shutdown()
        self.sandbox.stopping.set()
        self._server.hang_up()
        self._server.server_close()
        self._thread.join()
        self.sandbox.stop()


def serve(sandbox: Sandbox | None = None, *, host: str = "127.0.0.1", port: int = 0) -> Running:
    """Starts listening and returns at once; port 0 takes a free one. OSError: it is taken."""
    return Running(sandbox or Sandbox(), host=host, port=port)
