"""Calls to the platform with a token, tried again where that may help, followed page by page.

Every call only reads, so every call can be made again.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from functools import partial
from http.cookiejar import DefaultCookiePolicy
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import attrs
import requests

from certificates.platform import answers, transport
from certificates.platform.errors import MalformedAnswer, PlatformError, Unauthorized
from certificates.platform.transport import Query, Request
from credentials.retry import backoff

TOKEN_PATH: Final = "oauth2/access_token"  # noqa: S105 -- an address
MOST_PAGES: Final = 20_000
_MARGIN: Final = 30.0  # seconds before its end from which on a token is not used
_DEFAULT_LIFE: Final = 300.0  # seconds, when the answer does not say


T = TypeVar("T")


@attrs.frozen(kw_only=True)
class Patience:
    """`seconds`: for one answer; `attempts`: of one call; between them it waits from `first` on,
    doubling. A platform that asks to wait more than `longest` is not waited for.
    """

    seconds: float = 60.0
    attempts: int = 4
    first: timedelta = timedelta(seconds=0.5)
    longest: timedelta = timedelta(seconds=60)

    def wait(self, error: PlatformError, *, attempt: int) -> float | None:
        """Seconds to the next try; None: there is none."""
        if error.permanent or attempt >= self.attempts:
            return None
        if error.retry_after is not None:
            return error.retry_after if error.retry_after <= self.longest.total_seconds() else None
        return backoff(attempt, first=self.first, longest=self.longest).total_seconds()


@attrs.frozen
class _Token:
    value: str = attrs.field(repr=False)
    good_until: float


class PlatformClient:
    """For one thread and one run. A context manager: leaving it closes the connection."""

    def __init__(
        self,
        base_url: str,
        *,
        client_id: str,
        client_secret: str,
        patience: Patience,
    ) -> None:
        self._base_url = base_url
        self._client_id = client_id
        self._client_secret = client_secret
        self._patience = patience
        self._token: _Token | None = None
        self._session = requests.Session()
        # A session cookie would outlive the token that earned it.
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._session.close()

    def get(self, path: str, *, query: Query | None = None, read: Callable[[Any], T]) -> T:
        """What `read` makes of the parsed JSON. Raises PlatformError."""
        request = Request(path=path, query=query or {})
        try:
            document = self._persistently(request, token=self._current_token())
        except Unauthorized:
            # The token may have been withdrawn before its end; a new one is asked for once.
            self._token = None
            document = self._persistently(request, token=self._current_token())
        try:
            return read(document)
        except MalformedAnswer as error:
            raise MalformedAnswer(f"{request}: {error}") from error

    def pages(
        self, path: str, *, query: Query | None = None, read: Callable[[Any], T]
    ) -> Iterator[Sequence[T]]:
        """What `read` makes of each result, one page at a time. Raises PlatformError."""
        following: Query = {}
        seen: set[tuple[tuple[str, str | int], ...]] = set()
        for _ in range(MOST_PAGES):
            page = self.get(path, query={**(query or {}), **following}, read=partial(_page, read))
            yield page.results
            if page.next is None:
                return
            following = page.next
            place = tuple(sorted(following.items()))
            if place in seen:
                raise MalformedAnswer(f"GET /{path}: a page leads back to an earlier one")
            seen.add(place)
        raise MalformedAnswer(f"GET /{path}: more than {MOST_PAGES} pages")

    def _persistently(self, request: Request, *, token: str) -> Any:
        attempt = 1
        while True:
            try:
                return transport.send(
                    request,
                    base_url=self._base_url,
                    session=self._session,
                    authorization=token,
                    seconds=self._patience.seconds,
                )
            except PlatformError as error:
                wait = self._patience.wait(error, attempt=attempt)
                if wait is None:
                    raise
                time.sleep(wait)
                attempt += 1

    def _current_token(self) -> str:
        """The value of an Authorization header."""
        now = time.monotonic()
        if self._token is None or now >= self._token.good_until:
            form = {
                "grant_type": "client_credentials",
                "client_id": self._client_id,
                "client_secret": self._client_secret,
                "token_type": "jwt",
            }
            answer = self._persistently(Request(path=TOKEN_PATH, form=form), token="")
            self._token = _read_token(answer, now=now)
        return f"JWT {self._token.value}"


def _page(read: Callable[[Any], Any], document: Any) -> answers.Page:
    page = answers.page(document)
    return attrs.evolve(page, results=[read(each) for each in page.results])


def _read_token(answer: Any, *, now: float) -> _Token:
    value = answer.get("access_token") if isinstance(answer, dict) else None
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or not value:
        raise MalformedAnswer(f"POST /{TOKEN_PATH}: no access_token in the answer")
    life = answer.get("expires_in")
    if not isinstance(life, int | float) or isinstance(life, bool) or life <= 0:
        life = _DEFAULT_LIFE
    # A life shorter than twice the margin is used to its half.
    return _Token(value, good_until=now + life - min(_MARGIN, life / 2))
