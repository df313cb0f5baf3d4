"""The calls of one organization, as methods. See README.md beside this file."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import TracebackType
from typing import Self, TypeVar
from uuid import UUID

import requests as http

from credly_client import requests, responses, transport
from credly_client.bodies import BadgeRequest, Replacement
from credly_client.configured import base_url_of, basic, token_of
from credly_client.errors import MalformedAnswer
from credly_client.oauth import OAuth
from credly_client.paging import all_items
from credly_client.requests import BadgeFilter, Id, Request
from credly_client.responses import Answer
from credly_client.shapes import canonical_id, mapping
from credly_client.transport import Limits
from credly_client.types import (
    HELD,
    AuthorizationToken,
    BadgeTemplate,
    Event,
    IssuedBadge,
    Organization,
    Page,
)

T = TypeVar("T")

DEFAULT_TIMEOUT = (5.0, 30.0)
DEFAULT_DEADLINE = 45.0


class CredlyClient:
    """The calls of one organization. Every call raises an error of `credly_client.errors`.

    `base_url`: `https://api.credly.com/v1/`, with or without the last slash.
    `token`: the organization's authorization token; or `oauth` instead.
    `session`: of `transport.new_session`, to share connections or to name proxies; without one
    the client makes its own and `close()` ends it. Use one client, and one session, per thread.
    `timeout`: seconds to connect, seconds to wait for each piece of the answer.
    `deadline`: seconds for a whole call, fetching an access token included; a list has as many
    for each page. Another kind of session keeps only the time-outs.
    """

    def __init__(
        self,
        *,
        base_url: str,
        organization_id: Id,
        token: str | None = None,
        oauth: OAuth | None = None,
        session: http.Session | None = None,
        timeout: tuple[float, float] = DEFAULT_TIMEOUT,
        deadline: float = DEFAULT_DEADLINE,
    ) -> None:
        if (token is None) == (oauth is None):
            raise ValueError("exactly one of token and oauth is needed")
        self.base_url = base_url_of(base_url)
        self.organization_id = UUID(canonical_id(organization_id))
        self.timeout = timeout
        self.deadline = deadline
        self._oauth = oauth
        self._basic = "" if token is None else basic(token_of(token))
        self._owns_session = session is None
        self._session = transport.new_session() if session is None else session

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

    # The organization and its keys

    def get_organization(self) -> Organization:
        return self._one(
            requests.get_organization(self.organization_id), parse=Organization.from_data
        )

    def set_webhook(self, url: str) -> Organization:
        """Where Credly calls back; one address for an organization. Sending it again is safe."""
        request = requests.set_webhook(self.organization_id, url=url)
        return self._one(request, parse=Organization.from_data)

    def list_authorization_tokens(self) -> Iterator[AuthorizationToken]:
        def fetch(number: int) -> Page[AuthorizationToken]:
            request = requests.list_authorization_tokens(self.organization_id, page=number)
            return self._page(request, parse=AuthorizationToken.from_data)

        return all_items(fetch)

    def rotate_authorization_token(self) -> AuthorizationToken:
        """The new key: keep its `token`, the one before is dead. This client uses it from now on,
        unless it works by OAuth. After `OutcomeUnknown` the key may be lost: a person makes one.
        """
        request = requests.rotate_authorization_token(self.organization_id)
        rotated = responses.rotated_token(self._send(request), request=request)
        if self._oauth is None:
            self._basic = basic(rotated.token or "")
        return rotated

    # Badge templates

    def list_templates(self, *, state: str | None = None) -> Iterator[BadgeTemplate]:
        """Every template, page by page; only those in `state` when it is given."""

        def fetch(number: int) -> Page[BadgeTemplate]:
            request = requests.list_templates(self.organization_id, page=number, state=state)
            return self._page(request, parse=BadgeTemplate.from_data)

        return all_items(fetch, admits=lambda template: state in (None, template.state))

    def get_template(self, template_id: Id) -> BadgeTemplate:
        request = requests.get_template(self.organization_id, template_id=template_id)
        return self._one(request, parse=BadgeTemplate.from_data)

    # Badges

    def issue_badge(self, badge: BadgeRequest) -> IssuedBadge:
        """Not idempotent: after `OutcomeUnknown` or `DuplicateBadge` ask `find_badges` first."""
        request = requests.issue_badge(self.organization_id, badge=badge)
        return self._one(request, parse=IssuedBadge.from_data)

    def issue_badges(self, badges: Sequence[BadgeRequest]) -> tuple[IssuedBadge, ...]:
        """Up to 50 in one call, answered in the order of `badges`. After `OutcomeUnknown` or
        `BatchRefused` ask `find_badges` for each of them. ValueError: see `requests.issue_badges`.
        """
        request = requests.issue_badges(self.organization_id, badges=badges)
        return responses.batch(self._send(request), request=request, badges=badges)

    def get_badge(self, badge_id: Id) -> IssuedBadge:
        request = requests.get_badge(self.organization_id, badge_id=badge_id)
        return self._one(request, parse=IssuedBadge.from_data)

    def list_badges(
        self,
        *,
        issuer_earner_id: str | None = None,
        template_id: Id | None = None,
        recipient_email: str | None = None,
        states: Iterable[str] = (),
    ) -> Iterator[IssuedBadge]:
        """Every badge that fits all that is given, page by page.

        A badge whose answer does not even carry the key that is asked for could be one that is
        looked for, and is `MalformedAnswer`.
        """
        only = BadgeFilter(
            issuer_earner_id=issuer_earner_id,
            template_id=template_id,
            recipient_email=recipient_email,
            states=states,
        )
        # A template's id and the state are there, or the badge is malformed anyway.
        needed = [key for key in only.to_query() if key in ("issuer_earner_id", "recipient_email")]

        def parse(value: object) -> IssuedBadge:
            if missing := set(needed) - set(mapping(value, name="badge")):
                raise MalformedAnswer(f"{', '.join(sorted(missing))} is missing")
            return IssuedBadge.from_data(value)

        def fetch(number: int) -> Page[IssuedBadge]:
            request = requests.list_badges(self.organization_id, page=number, only=only)
            return self._page(request, parse=parse)

        return all_items(fetch, admits=only.admits)

    def find_badges(
        self, *, issuer_earner_id: str, template_id: Id, states: Iterable[str] = HELD
    ) -> tuple[IssuedBadge, ...]:
        """The badges of one learner and template that are in one of `states` and not replaced by
        another. An empty answer is proof enough to issue.
        """
        badges = self.list_badges(
            issuer_earner_id=issuer_earner_id, template_id=template_id, states=states
        )
        return tuple(badge for badge in badges if badge.replacement_badge_id is None)

    def replace_badge(self, badge_id: Id, *, replacement: Replacement) -> IssuedBadge:
        """The new badge. After `OutcomeUnknown` ask `get_badge` for its `replacement_badge_id`;
        `ValidationFailed.current_badge_id` names the badge that replaced it before.
        """
        request = requests.replace_badge(
            self.organization_id, badge_id=badge_id, replacement=replacement
        )
        return self._one(request, parse=IssuedBadge.from_data)

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

    def delete_badge(self, badge_id: Id) -> None:
        """For the erasure of a person only; nothing remains. `NotFound`: it was gone before."""
        request = requests.delete_badge(self.organization_id, badge_id=badge_id)
        responses.nothing(self._send(request), request=request)

    # Events

    def list_events(self, *, event_type: str | None = None) -> Iterator[Event]:
        """Every event, page by page; only those of `event_type` when it is given."""

        def fetch(number: int) -> Page[Event]:
            request = requests.list_events(self.organization_id, page=number)
            return self._page(request, parse=Event.from_data)

        return all_items(fetch, admits=lambda event: event_type in (None, event.event_type))

    def get_event(self, event_id: Id) -> Event:
        """`NotFound` may only mean that the webhook was faster than Credly's own store."""
        request = requests.get_event(self.organization_id, event_id=event_id)
        return self._one(request, parse=Event.from_data)

    # Sending

    def _one(self, request: Request, *, parse: Callable[[object], T]) -> T:
        return responses.one(self._send(request), request=request, parse=parse)

    def _page(self, request: Request, *, parse: Callable[[object], T]) -> Page[T]:
        return responses.page(self._send(request), request=request, parse=parse)

    def _send(self, request: Request) -> Answer:
        limits = Limits(
            connect=self.timeout[0],
            read=self.timeout[1],
            deadline=time.monotonic() + self.deadline,
        )
        url = self.base_url + request.path
        if self._oauth is None:
            return self._transmit(request, url=url, authorization=self._basic, limits=limits)
        bearer = self._bearer(self._oauth, limits=limits)
        answer = self._transmit(request, url=url, authorization=bearer, limits=limits)
        if not responses.is_unauthorized(answer):
            return answer
        # The token ended early. A refused call changed nothing, so it may be sent again.
        self._oauth.forget(bearer)
        bearer = self._bearer(self._oauth, limits=limits)
        return self._transmit(request, url=url, authorization=bearer, limits=limits)

    def _bearer(self, oauth: OAuth, *, limits: Limits) -> str:
        def fetch(request: Request, authorization: str) -> Answer:
            url = oauth.token_url
            return self._transmit(request, url=url, authorization=authorization, limits=limits)

        now = time.monotonic()
        return oauth.bearer(send=fetch, now=now, patience=limits.deadline - now)

    def _transmit(
        self, request: Request, *, url: str, authorization: str, limits: Limits
    ) -> Answer:
        return transport.send(
            request, url=url, session=self._session, authorization=authorization, limits=limits
        )
