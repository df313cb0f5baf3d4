"""The one file that talks to the network.

Note [Paging]
    Pages are asked for by number with our own filter. Credly's `next_page_url` may drop the
    filter and may name another host; it is never followed. The filter is applied here once
    more, and a template that moves between two pages is yielded once.

Note [What was sent]
    A changing call whose answer is lost must be looked up before it is sent again. It counts
    as "not sent" only when that is certain: the connection was never made. Every other network
    error of a changing call is `OutcomeUnknown`.
"""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from http.cookiejar import DefaultCookiePolicy
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

import requests as http
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from credly_client import requests, responses
from credly_client.errors import CredlyError, MalformedAnswer, OutcomeUnknown, Unreachable
from credly_client.requests import Id, Request
from credly_client.responses import Answer
from credly_client.shapes import canonical_id, mapping
from credly_client.types import (
    HELD,
    BadgeRequest,
    BadgeTemplate,
    Event,
    IssuedBadge,
    Organization,
    Page,
)

T = TypeVar("T")
log = logging.getLogger("credly_client")

DEFAULT_TIMEOUT = (5.0, 30.0)
MAX_PAGES = 2000


class CredlyClient:
    """The calls of one organization. Every call raises an error of `credly_client.errors`.

    `base_url`: `https://api.credly.com/v1/`, with or without the last slash.
    `token`: the organization's authorization token.
    `session`: a `requests.Session` to share connections; without one the client makes its own
    and `close()` ends it. Use one client per thread.
    `timeout`: seconds to connect, seconds to wait for each piece of the answer.
    """

    def __init__(
        self,
        *,
        base_url: str,
        organization_id: Id,
        token: str,
        session: http.Session | None = None,
        timeout: tuple[float, float] = DEFAULT_TIMEOUT,
    ) -> None:
        self.base_url = _checked_base_url(base_url)
        self.organization_id = UUID(canonical_id(organization_id))
        self.timeout = timeout
        self._auth = (_checked_token(token), "")
        self._owns_session = session is None
        self._session = _new_session() if session is None else session

    def __repr__(self) -> str:
        return f"<CredlyClient {self.organization_id} at {self.base_url}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        if self._owns_session:
            self._session.close()

    # Calls

    def get_organization(self) -> Organization:
        return self._one(
            requests.get_organization(self.organization_id), parse=Organization.from_data
        )

    def list_templates(self, *, state: str | None = None) -> Iterator[BadgeTemplate]:
        """Every template, page by page; only those in `state` when it is given."""

        def fetch(number: int) -> Page[BadgeTemplate]:
            request = requests.list_templates(self.organization_id, page=number, state=state)
            return self._page(request, parse=BadgeTemplate.from_data)

        seen: set[UUID] = set()
        for template in _all_pages(fetch):
            if template.id not in seen and state in (None, template.state):
                seen.add(template.id)
                yield template

    def get_template(self, template_id: Id) -> BadgeTemplate:
        request = requests.get_template(self.organization_id, template_id=template_id)
        return self._one(request, parse=BadgeTemplate.from_data)

    def issue_badge(self, badge: BadgeRequest) -> IssuedBadge:
        """Not idempotent: after `OutcomeUnknown` or `DuplicateBadge` ask `find_badges` first."""
        request = requests.issue_badge(self.organization_id, badge=badge)
        return self._one(request, parse=IssuedBadge.from_data)

    def get_badge(self, badge_id: Id) -> IssuedBadge:
        request = requests.get_badge(self.organization_id, badge_id=badge_id)
        return self._one(request, parse=IssuedBadge.from_data)

    def find_badges(
        self, *, issuer_earner_id: str, template_id: Id, states: Iterable[str] = HELD
    ) -> tuple[IssuedBadge, ...]:
        """The badges of one learner and template that are in one of `states`.

        An empty answer is proof enough to issue: a badge whose answer does not even carry the
        key `issuer_earner_id` could be the one that is looked for, and is `MalformedAnswer`.
        """
        wanted = frozenset(states)
        template = UUID(canonical_id(template_id))

        def fetch(number: int) -> Page[IssuedBadge]:
            request = requests.find_badges(
                self.organization_id,
                issuer_earner_id=issuer_earner_id,
                template_id=template,
                states=sorted(wanted),
                page=number,
            )
            return self._page(request, parse=_comparable_badge)

        found = {
            badge.id: badge
            for badge in _all_pages(fetch)
            if badge.issuer_earner_id == issuer_earner_id
            and badge.template_id == template
            and badge.state in wanted
        }
        return tuple(found.values())

    def revoke_badge(
        self, badge_id: Id, *, reason: str, suppress_notification: bool = False
    ) -> IssuedBadge:
        """After `OutcomeUnknown` or `ValidationFailed` ask `get_badge` for its state."""
        request = requests.revoke_badge(
            self.organization_id,
            badge_id=badge_id,
            reason=reason,
            suppress_notification=suppress_notification,
        )
        return self._one(request, parse=IssuedBadge.from_data)

    def get_event(self, event_id: Id) -> Event:
        """`NotFound` may only mean that the webhook was faster than Credly's own store."""
        request = requests.get_event(self.organization_id, event_id=event_id)
        return self._one(request, parse=Event.from_data)

    # Transport

    def _one(self, request: Request, *, parse: Callable[[object], T]) -> T:
        return responses.one(self._send(request), request=request, parse=parse)

    def _page(self, request: Request, *, parse: Callable[[object], T]) -> Page[T]:
        return responses.page(self._send(request), request=request, parse=parse)

    def _send(self, request: Request) -> Answer:
        started = time.monotonic()
        try:
            response = self._session.request(
                request.method,
                self.base_url + request.path,
                params=list(request.query),
                json=request.body,
                headers={"Accept": "application/json", "User-Agent": "laurel-credly-client"},
                auth=self._auth,
                timeout=self.timeout,
                allow_redirects=False,
            )
        except http.RequestException as error:
            log.warning("%s failed: %s", request, type(error).__name__)
            raise _network_error(error, request=request) from error
        duration = round((time.monotonic() - started) * 1000)
        log.info("%s answered %d in %d ms", request, response.status_code, duration)
        return Answer(
            status=response.status_code,
            headers={name.lower(): value for name, value in response.headers.items()},
            body=response.content,
        )


def _network_error(error: http.RequestException, *, request: Request) -> CredlyError:
    message = f"{request}: no answer ({type(error).__name__})"
    if not request.changes or _nothing_was_sent(error):
        return Unreachable(message)
    return OutcomeUnknown(message)


def _nothing_was_sent(error: BaseException) -> bool:
    """See Note [What was sent]. Looks through the errors that wrap the socket's own."""
    never_connected = (
        ConnectTimeoutError,
        NewConnectionError,
        NameResolutionError,
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


def _all_pages(fetch: Callable[[int], Page[T]]) -> Iterator[T]:
    """Every item of every page. See Note [Paging]."""
    for number in range(1, MAX_PAGES + 1):
        page = fetch(number)
        if page.current_page not in (None, number):
            raise MalformedAnswer(f"asked for page {number}, got page {page.current_page}")
        yield from page.items
        if number >= page.total_pages or not page.items:
            return
    raise MalformedAnswer(f"a list of more than {MAX_PAGES} pages")


def _comparable_badge(value: object) -> IssuedBadge:
    if "issuer_earner_id" not in mapping(value, name="badge"):
        raise MalformedAnswer("issuer_earner_id is missing")
    return IssuedBadge.from_data(value)


def _checked_base_url(base_url: str) -> str:
    """With exactly one slash at the end, so that joining a path never loses `/v1`."""
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("base_url is not an http(s) URL")
    if parts.query or parts.fragment or parts.username is not None:
        raise ValueError("base_url holds more than scheme, host and path")
    return base_url.rstrip("/") + "/"


def _checked_token(token: str) -> str:
    # A colon would end the user name of Basic authentication early.
    if not token or not token.isascii() or not token.isprintable() or {":", " "} & set(token):
        raise ValueError("token is empty or holds characters that no token has")
    return token


def _new_session() -> http.Session:
    session = http.Session()
    # A session cookie would outlive the token that earned it.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return session
