"""Fetching the picture of a template, from wherever its address says.

Note [Only public addresses]
    The address comes from outside, and this machine may reach what the outside cannot: other
    services of the network, the metadata of the cloud. So only https is fetched, the name is
    looked up here, every address it has must be a public one, and the connection is made to the
    very address that was checked: a second look-up could answer differently. Each redirect is
    checked in the same way. The one exception is the configured API itself, which may be a
    local one.
"""

import http.client
import ipaddress
import socket
import ssl
import time
from typing import Final
from urllib.parse import SplitResult, urljoin, urlsplit

import attrs
import urllib3
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.exceptions import HTTPError

_LARGEST: Final = 5 * 1024 * 1024
_REDIRECTS: Final = 3
_SECONDS: Final = 30.0  # for the whole picture, however slowly it drips
_TIMEOUT: Final = urllib3.Timeout(connect=5.0, read=10.0)
_PIECE: Final = 64 * 1024
_MOVED: Final = frozenset({301, 302, 303, 307, 308})
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")  # stands for any IPv4 address
_PORTS: Final = {"http": 80, "https": 443}


class ImageRefusedError(Exception):
    """The picture was not fetched; the message says why. The template itself is sound."""


@attrs.frozen
class Image:
    """`extension`: png, jpg, gif or webp, by the content's first bytes."""

    content: bytes = attrs.field(repr=False)
    extension: str


@attrs.frozen
class _Target:
    """Where to connect, and for which name."""

    parts: SplitResult
    address: str
    port: int


def fetch(url: str, *, api_url: str) -> Image:
    """`api_url`: the API that is trusted wherever it is. Raises ImageRefusedError."""
    deadline = time.monotonic() + _SECONDS
    for _ in range(_REDIRECTS + 1):
        target = _checked(url, api_url=api_url)
        with _pool(target) as pool:
            found = _get(pool, target, deadline=deadline)
        if isinstance(found, bytes):
            return Image(found, _extension(found))
        url = found
    raise ImageRefusedError("It is redirected too often.")


def _checked(url: str, *, api_url: str) -> _Target:
    """See Note [Only public addresses]."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError as error:
        raise ImageRefusedError("This is no web address.") from error
    if not parts.hostname or parts.username is not None:
        raise ImageRefusedError("This is no web address.")
    trusted = _origin(parts) == _origin(urlsplit(api_url))
    if parts.scheme != "https" and not trusted:
        raise ImageRefusedError("Only https is fetched.")
    addresses = _addresses(parts.hostname, port)
    if not trusted and not all(_is_public(each) for each in addresses):
        raise ImageRefusedError("Its address is not a public one.")
    return _Target(parts, addresses[0], port)


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)


def _addresses(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ImageRefusedError("Its host is not known.") from error
    return [str(each[4][0]) for each in found]


def _is_public(address: str) -> bool:
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed in _NAT64:
            return False
        parsed = parsed.ipv4_mapped or parsed.sixtofour or parsed
    return parsed.is_global and not parsed.is_multicast


def _pool(target: _Target) -> urllib3.HTTPConnectionPool:
    if target.parts.scheme == "http":
        return urllib3.HTTPConnectionPool(target.address, target.port, timeout=_TIMEOUT)
    return urllib3.HTTPSConnectionPool(
        target.address,
        target.port,
        timeout=_TIMEOUT,
        cert_reqs=ssl.CERT_REQUIRED,
        ca_certs=DEFAULT_CA_BUNDLE_PATH,
        server_hostname=target.parts.hostname,
        assert_hostname=target.parts.hostname,
    )


def _get(pool: urllib3.HTTPConnectionPool, target: _Target, *, deadline: float) -> bytes | str:
    """The content, or where it moved to."""
    path = target.parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
    headers = {"Host": target.parts.netloc, "Accept": "image/*", "Accept-Encoding": "identity"}
    try:
        response = pool.request(
            "GET", path, headers=headers, redirect=False, retries=False, preload_content=False
        )
        moved = response.headers.get("Location")
        if response.status in _MOVED and moved:
            return urljoin(target.parts.geturl(), moved)
        if response.status != 200:  # noqa: PLR2004
            raise ImageRefusedError(f"It was answered with {response.status}.")
        return _read(response, deadline=deadline)
    except (HTTPError, http.client.HTTPException, OSError, ValueError) as error:
        raise ImageRefusedError(f"It cannot be read ({type(error).__name__}).") from error


def _read(response: urllib3.BaseHTTPResponse, *, deadline: float) -> bytes:
    content = bytearray()
    for piece in response.stream(_PIECE, decode_content=False):
        content += piece
        if len(content) > _LARGEST:
            raise ImageRefusedError(f"It is larger than {_LARGEST // 1024 // 1024} MB.")
        if time.monotonic() > deadline:
            raise ImageRefusedError("It takes too long.")
    return bytes(content)


def _extension(content: bytes) -> str:
    """Whatever the answer's headers say; an SVG could carry scripts and is refused."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if content.startswith(b"\xff\xd8\xff"):
        return "jpg"
    if content.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "webp"
    raise ImageRefusedError("It is no PNG, JPEG, GIF or WebP.")
