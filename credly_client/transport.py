"""The one file that talks to the network: a request goes out, an answer comes back.

Note [What was sent]
    A changing call whose answer is lost must be looked up before it is sent again. It counts
    as "not sent" only when that is certain: the connection was never made. Every other network
    error of a changing call is `OutcomeUnknown`.

Note [Nothing after the deadline]
    The time-outs of `requests` count from byte to byte: a server that sends one byte now and then
    holds a call for ever, and whoever waited believes the call is still under way. So every call
    has a deadline. At the deadline the connection is cut, and a call that by then waited for a name
    or a connection is never sent: the caller has long begun to look for what it left.
"""

from __future__ import annotations

import logging
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from contextvars import ContextVar
from http.cookiejar import DefaultCookiePolicy
from types import TracebackType
from typing import Any, Self

import attrs
import requests as http
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import (
    ConnectTimeoutError,
    NameResolutionError,
    NewConnectionError,
    ProxyError,
)

from credly_client.errors import CredlyError, MalformedAnswer, OutcomeUnknown, Unreachable
from credly_client.requests import Request
from credly_client.responses import Answer

log = logging.getLogger("credly_client")
log.addHandler(logging.NullHandler())  # who does not ask for the log sees none on stderr

LARGEST_ANSWER = 8 * 1024 * 1024
"""Bytes. Fifty badges are about 100,000."""
_PIECE = 64 * 1024


def new_session(*, proxies: Mapping[str, str] | None = None) -> http.Session:
    """A session that keeps deadlines and no cookies; share it between the clients of one thread.

    `proxies`: as `requests` takes them, `{"https": "http://proxy:3128"}`; without them those of
    the environment count.
    """
    session = http.Session()
    # A session cookie would outlive the token that earned it.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.proxies.update(proxies or {})
    adapter = _Adapter()
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


@attrs.frozen(kw_only=True)
class Limits:
    """`connect` and `read`: seconds to connect, and between two pieces of the answer. `deadline`:
    when the call is given up, by `time.monotonic`.
    """

    connect: float
    read: float
    deadline: float

    def timeout(self) -> tuple[float, float]:
        """Neither goes beyond the deadline; above 0, as `requests` demands."""
        left = max(self.deadline - time.monotonic(), 0.001)
        return min(self.connect, left), min(self.read, left)


def send(
    request: Request, *, url: str, session: http.Session, authorization: str, limits: Limits
) -> Answer:
    """Raises Unreachable, OutcomeUnknown; MalformedAnswer for an answer that is too large."""
    started = time.monotonic()
    try:
        with _Watch(limits.deadline) as watch:
            answer = _exchange(
                request, url=url, session=session, authorization=authorization, limits=limits
            )
        if watch.over:
            # It may be one that was cut where it could have ended.
            raise _LateError  # noqa: TRY301  (one place makes the client's own error)
    except (http.RequestException, _TooLargeError, _LateError) as error:
        log.warning("%s failed: %s", request, type(error).__name__)
        raise _network_error(error, request=request, limits=limits) from error
    log.info("%s answered %d in %d ms", request, answer.status, (time.monotonic() - started) * 1000)
    return answer


def _exchange(
    request: Request, *, url: str, session: http.Session, authorization: str, limits: Limits
) -> Answer:
    with session.request(
        request.method,
        url,
        params=list(request.query),
        json=request.body,
        data=request.form,
        # Not compressed: a small answer must not become a large one.
        headers={
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "laurel-credly-client",
        },
        auth=_Authorization(authorization),
        timeout=limits.timeout(),
        allow_redirects=False,
        stream=True,
    ) as response:
        body = bytearray()
        for piece in response.iter_content(_PIECE):
            body += piece
            if len(body) > LARGEST_ANSWER:
                raise _TooLargeError(f"more than {LARGEST_ANSWER} bytes")
        return Answer(
            status=response.status_code,
            headers={name.lower(): value for name, value in response.headers.items()},
            body=bytes(body),
        )


@attrs.frozen
class _Authorization(AuthBase):
    """As `auth`, because a header would give way to a `.netrc` of the machine."""

    value: str

    def __call__(self, prepared: http.PreparedRequest) -> http.PreparedRequest:
        prepared.headers["Authorization"] = self.value
        return prepared


class _TooLargeError(Exception):
    pass


class _LateError(Exception):
    pass


def _network_error(error: Exception, *, request: Request, limits: Limits) -> CredlyError:
    what = str(error) if isinstance(error, _TooLargeError) else type(error).__name__
    late = time.monotonic() >= limits.deadline
    message = f"{request}: no answer ({'deadline, ' if late else ''}{what})"
    if request.changes and not _nothing_was_sent(error):
        return OutcomeUnknown(message)
    if isinstance(error, _TooLargeError):
        return MalformedAnswer(message)
    return Unreachable(message)


def _nothing_was_sent(error: BaseException) -> bool:
    """See Note [What was sent]. Looks through the errors that wrap the socket's own."""
    never_connected = (
        ConnectTimeoutError,
        NewConnectionError,
        NameResolutionError,
        ProxyError,
        ssl.SSLCertVerificationError,
    )
    waiting: list[BaseException] = [error]
    while waiting:
        current = waiting.pop()
        if isinstance(current, never_connected):
            return True
        inner = (*current.args, getattr(current, "reason", None))
        waiting += [item for item in inner if isinstance(item, BaseException)]
    return False


# The deadline


class _Watch:
    """Cuts the connection of the call under way when its deadline is reached."""

    def __init__(self, deadline: float) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self.over = False
        self._timer = threading.Timer(max(deadline - time.monotonic(), 0.0), self._cut)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._before = _watch.set(self)
        self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        with self._lock:
            self._socket = None
        _watch.reset(self._before)

    def may_send(self, connected: socket.socket) -> bool:
        """From now on the deadline cuts this connection; False when it has passed."""
        with self._lock:
            self._socket = connected
            return not self.over

    def _cut(self) -> None:
        with self._lock:
            self.over = True
            if self._socket is not None:
                _shut(self._socket)


_watch: ContextVar[_Watch | None] = ContextVar("credly_client_watch", default=None)


def _shut(connected: Any) -> None:
    """Ends the reading and writing of another thread. Below TLS: a TLS socket's own `shutdown`
    takes away the layer that the other thread is in.
    """
    while not isinstance(connected, socket.socket):
        connected = connected.socket  # TLS in TLS, towards a proxy
    try:
        socket.socket.shutdown(connected, socket.SHUT_RDWR)
    except OSError:
        log.debug("the connection had ended")


class _Watched(HTTPConnection):
    def request(self, *args: Any, **kwargs: Any) -> None:
        """Connects first, so that the last look at the clock is the one before the first byte."""
        if self.sock is None:
            self.connect()
        watch = _watch.get()
        if watch is not None and not watch.may_send(self.sock):
            raise ConnectTimeoutError(self, "The deadline passed before the call was sent")
        super().request(*args, **kwargs)


class _WatchedTls(_Watched, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Watched


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedTls


class _Adapter(HTTPAdapter):
    """The stock adapter over watched connections. Proxies that speak SOCKS keep their own."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        if not proxy.lower().startswith("socks"):
            manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
        return manager
