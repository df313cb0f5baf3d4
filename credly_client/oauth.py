"""OAuth 2.0 client credentials: one access token, kept until shortly before its end.

Source: https://www.credly.com/docs/oauth (two hours a token) and RFC 6749, section 4.4.

The pure parts say what to send and what came back; `OAuth` keeps the token. It asks a function
for the network, so this file has none.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Self
from urllib.parse import quote

import attrs

from credly_client import responses
from credly_client.configured import base_url_of, basic
from credly_client.errors import Forbidden, MalformedAnswer, Refused, Unauthorized, Unreachable
from credly_client.requests import Request
from credly_client.responses import Answer
from credly_client.shapes import mapping, number, optional, required, text

TOKEN_URL = "https://www.credly.com/oauth/token"  # noqa: S105  (an address)
SCOPES = (
    "authorization_tokens",
    "badge_templates",
    "events",
    "invitations",
    "issued_badges",
    "memberships",
    "recommendations",
    "workforce",
)
MARGIN = 60.0
"""Seconds before its end from which on a token is not used: a call may take that long."""
DEFAULT_LIFE = 600.0
"""Seconds, when the answer does not say."""

Send = Callable[[Request, str], Answer]
"""A request and the value of its Authorization header -> the answer."""


@attrs.frozen(kw_only=True)
class AccessToken:
    value: str = attrs.field(repr=False)
    life: float
    """Seconds."""

    @classmethod
    def from_document(cls, document: object) -> Self:
        data = mapping(document, name="answer")
        life = optional(data, "expires_in", number)
        return cls(
            value=required(data, "access_token", text),
            life=DEFAULT_LIFE if life is None else float(life),
        )


def token_request(*, scopes: tuple[str, ...]) -> Request:
    form = {"grant_type": "client_credentials", "scope": " ".join(scopes)}
    return Request(method="POST", path="oauth/token", form=form)


def read_token(answer: Answer, *, request: Request) -> AccessToken:
    """`Unauthorized` when the credentials or the scopes are refused, whatever the status says."""
    try:
        token = responses.whole(answer, request=request, parse=AccessToken.from_document)
    except (Refused, Forbidden) as error:
        raise Unauthorized(str(error), status=error.status) from error
    if not token.value or not token.value.isascii() or not token.value.isprintable():
        raise MalformedAnswer(f"{request}: {answer.status}, access_token is not text for a header")
    return token


class OAuth:
    """The credentials of one organization and its current access token. Thread-safe: share one
    between the clients of an organization, so that they share the token.
    """

    def __init__(
        self,
        *,
        client_id: str,
        client_secret: str,
        token_url: str = TOKEN_URL,
        scopes: tuple[str, ...] = SCOPES,
    ) -> None:
        if not client_id or not client_secret:
            raise ValueError("client_id or client_secret is empty")
        base_url_of(token_url, name="token_url")
        self.client_id = client_id
        self.token_url = token_url
        self._scopes = scopes
        self._header = basic(quote(client_id, safe=""), password=quote(client_secret, safe=""))
        self._lock = threading.Lock()
        self._token: AccessToken | None = None
        self._good_until = 0.0

    def __repr__(self) -> str:
        return f"<OAuth {self.client_id} at {self.token_url}>"

    def bearer(self, *, send: Send, now: float, patience: float) -> str:
        """The value of an Authorization header; fetches a token when there is none that lasts.

        `now`: seconds of a clock that only goes forward. `patience`: seconds to wait for another
        thread that is fetching it. Raises `Unreachable` and the errors of `read_token`.
        """
        if not self._lock.acquire(timeout=max(patience, 0.0)):
            raise Unreachable(f"no access token within {patience:.0f} s")
        try:
            if self._token is None or now >= self._good_until:
                request = token_request(scopes=self._scopes)
                self._token = read_token(send(request, self._header), request=request)
                # A life shorter than twice the margin is used to its half.
                margin = min(MARGIN, self._token.life / 2)
                self._good_until = now + self._token.life - margin
            return f"Bearer {self._token.value}"
        finally:
            self._lock.release()

    def forget(self, bearer: str) -> None:
        """Credly refused this token. One that was fetched meanwhile stays."""
        with self._lock:
            if self._token is not None and bearer == f"Bearer {self._token.value}":
                self._token = None
