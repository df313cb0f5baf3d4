"""What a caller configures, checked before a byte is sent: pure."""

from __future__ import annotations

import base64
from urllib.parse import urlsplit


def base_url_of(text: str, *, name: str = "base_url") -> str:
    """With exactly one slash at the end, so that joining a path never loses `/v1`."""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{name} is not an http(s) URL")
    if parts.query or parts.fragment or parts.username is not None:
        raise ValueError(f"{name} holds more than scheme, host and path")
    return text.rstrip("/") + "/"


def token_of(text: str) -> str:
    """ValueError, without the token, when it can be none."""
    # A colon would end the user name of Basic authentication early.
    if not text or not text.isascii() or not text.isprintable() or {":", " "} & set(text):
        raise ValueError("token is empty or holds characters that no token has")
    return text


def basic(user: str, *, password: str = "") -> str:
    """The value of an Authorization header."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
