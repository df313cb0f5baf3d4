"""Between a consumer and Redis: when a chosen word passes for the n-th time, something happens."""

import enum
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Self

from tests.processes import HOST

_CHUNK: Final = 1 << 20
_MESSAGE: Final = b"event_data"  # a field of every message: the answer is not empty
_ACKNOWLEDGE: Final = b"XACK"  # as a command or in a script


class Point(enum.Enum):
    """Where a consumer stands when something happens."""

    DELIVERED = "messages are on their way to it"
    CLAIMED = "abandoned messages are on their way to it"
    COMMITTING = "everything is written, nothing committed"  # no matter of Redis: see handlers.py
    ACKNOWLEDGING = "committed, not acknowledged"


class Proxy:
    """Forwards to the Redis at `port`. What makes the point waits for the action."""

    def __init__(self, port: int) -> None:
        self._target = (HOST, port)
        self._lock = threading.Lock()
        self._point: Point | None = None
        self._passes = 0
        self._action: Callable[[], object] = bool
        self._cut = False
        self._listener = socket.create_server((HOST, 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"redis://{HOST}:{self._listener.getsockname()[1]}/0"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def arm(
        self, point: Point, *, passes: int, action: Callable[[], object], cut: bool = False
    ) -> None:
        """`action` once, at the so many-th pass of `point` from now on. With `cut` what made the
        point does not arrive, and its connection ends.
        """
        with self._lock:
            self._point, self._passes, self._action, self._cut = point, passes, action, cut

    @property
    def is_armed(self) -> bool:
        """Whether the action is still to come."""
        with self._lock:
            return self._point is not None

    def cuts(self, point: Point) -> bool:
        """Counts a pass, acts when it is the one."""
        with self._lock:
            if point is not self._point:
                return False
            self._passes -= 1
            if self._passes:
                return False
            self._action()
            self._point = None
            return self._cut

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                try:
                    server = socket.create_connection(self._target)
                except OSError:  # it is down
                    client.close()
                else:
                    _Wire(self, client, server)


class _Wire:
    """One connection, watched in both directions."""

    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy, self._client, self._server = proxy, client, server
        self._awaited: Point | None = None  # what an answer with messages would be
        for pump in (self._upwards, self._downwards):
            threading.Thread(target=pump, daemon=True).start()

    def _upwards(self) -> None:
        with suppress(OSError):
            while chunk := self._client.recv(_CHUNK):
                if b"XREADGROUP\r\n" in chunk:
                    self._awaited = Point.DELIVERED
                elif b"XAUTOCLAIM\r\n" in chunk:
                    self._awaited = Point.CLAIMED
                elif _ACKNOWLEDGE in chunk and self._proxy.cuts(Point.ACKNOWLEDGING):
                    break
                self._server.sendall(chunk)
        self._close()

    def _downwards(self) -> None:
        with suppress(OSError):
            while chunk := self._server.recv(_CHUNK):
                point, self._awaited = self._awaited, None
                if point and _MESSAGE in chunk and self._proxy.cuts(point):
                    break
                self._client.sendall(chunk)
        self._close()

    def _close(self) -> None:
        for end in (self._client, self._server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
