"""The one file that talks to the network: a request goes out, an answer comes back."""

import time
from collections.abc import Mapping
from typing import Any, Final

import attrs
import orjson
import requests
import structlog
import urllib3
from requests.auth import AuthBase

from certificates.platform.errors import (
    Forbidden,
    MalformedAnswer,
    NotFound,
    PlatformError,
    RateLimited,
    Refused,
    ServerError,
    Unauthorized,
    Unreachable,
)

log = structlog.get_logger(__name__)

LARGEST_ANSWER: Final = 16 * 1024 * 1024
"""Bytes. A page of a gradebook, 100 learners with 100 sections each, is about 3 MB."""
CONNECT_SECONDS: Final = 5.0
_PIECE: Final = 64 * 1024
_OK: Final = 200
_REFUSALS: Final[Mapping[int, type[PlatformError]]] = {
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    429: RateLimited,
}

Query = Mapping[str, str | int]


@attrs.frozen(kw_only=True)
class Request:
    """`path` below the base URL; `form` makes it a POST. What is printed names no learner."""

    path: str
    query: Query = attrs.field(factory=dict)
    form: Mapping[str, str] | None = None

    def __str__(self) -> str:
        return f"{'GET' if self.form is None else 'POST'} /{self.path}"


def send(
    request: Request,
    *,
    base_url: str,
    session: requests.Session,
    authorization: str,
    seconds: float,
) -> Any:
    """The parsed JSON of a 200. `seconds`: how long the answer may take, to its last byte.

    Raises the errors of certificates.platform.errors.
    """
    started = time.monotonic()
    try:
        status, headers, body = _exchange(
            request,
            url=f"{base_url.rstrip('/')}/{request.path}",
            session=session,
            authorization=authorization,
            deadline=started + seconds,
        )
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        log.warning("platform_unreachable", call=str(request), error=type(error).__name__)
        raise Unreachable(f"{request}: no answer ({type(error).__name__})") from error
    milliseconds = round((time.monotonic() - started) * 1000)
    log.debug("platform_answered", call=str(request), status=status, milliseconds=milliseconds)
    return _read(request, status=status, headers=headers, body=body)


def _exchange(
    request: Request, *, url: str, session: requests.Session, authorization: str, deadline: float
) -> tuple[int, Mapping[str, str], bytes]:
    left = max(deadline - time.monotonic(), 0.001)
    with session.request(
        "GET" if request.form is None else "POST",
        url,
        params=dict(request.query),
        data=request.form,
        # Not compressed: a small answer must not become a large one.
        headers={
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "laurel",
        },
        auth=_Authorization(authorization),
        timeout=(min(CONNECT_SECONDS, left), left),
        allow_redirects=False,
        stream=True,
    ) as response:
        body = bytearray()
        # `read1` returns what is there: a server that sends a byte now and then is noticed.
        while piece := response.raw.read1(_PIECE):
            body += piece
            if len(body) > LARGEST_ANSWER:
                raise MalformedAnswer(f"{request}: more than {LARGEST_ANSWER} bytes")
            if time.monotonic() > deadline:
                raise Unreachable(f"{request}: the answer took too long")
        return response.status_code, response.headers, bytes(body)


@attrs.frozen
class _Authorization(AuthBase):
    """As `auth`, because a header would give way to a `.netrc` of the machine."""

    value: str = attrs.field(repr=False)

    def __call__(self, prepared: requests.PreparedRequest) -> requests.PreparedRequest:
        if self.value:
            prepared.headers["Authorization"] = self.value
        return prepared


def _read(request: Request, *, status: int, headers: Mapping[str, str], body: bytes) -> Any:
    if status != _OK:
        kind = _REFUSALS.get(status, ServerError if status >= 500 else Refused)  # noqa: PLR2004
        raise kind(f"{request}: {status}", retry_after=_seconds(headers.get("Retry-After")))
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise MalformedAnswer(f"{request}: the answer is not JSON") from error


def _seconds(header: str | None) -> float | None:
    """A date, the header's other form, counts as not given."""
    return float(header) if header and header.isdecimal() else None
