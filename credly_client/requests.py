"""Builds requests, pure: what to send, not how. One function per call of the API.

Paths are relative to the configured base URL and made of constants and checked UUIDs only.
Source: https://www.credly.com/docs/web_service_api
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal
from uuid import UUID

import attrs

from credly_client.bodies import BadgeRequest, Replacement, filter_value
from credly_client.shapes import canonical_id
from credly_client.types import IssuedBadge

Method = Literal["GET", "POST", "PUT", "DELETE"]
Id = UUID | str
LARGEST_BATCH = 50


@attrs.frozen(kw_only=True)
class Request:
    """`body` is sent as JSON, `form` as a form. `changes` is true when a lost answer leaves the
    outcome unknown.
    """

    method: Method
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: Mapping[str, object] | None = attrs.field(default=None, repr=False)
    form: Mapping[str, str] | None = attrs.field(default=None, repr=False)
    changes: bool = False

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


# The organization and its keys


def get_organization(organization_id: Id) -> Request:
    return Request(method="GET", path=_path(organization_id))


def set_webhook(organization_id: Id, *, url: str) -> Request:
    return Request(
        method="PUT", path=_path(organization_id), body={"webhook_url": url}, changes=True
    )


def list_authorization_tokens(organization_id: Id, *, page: int) -> Request:
    return _list(_path(organization_id, "authorization_tokens"), page=page)


def rotate_authorization_token(organization_id: Id) -> Request:
    return Request(
        method="POST", path=_path(organization_id, "authorization_tokens", "rotate"), changes=True
    )


# Badge templates


def list_templates(organization_id: Id, *, page: int, state: str | None = None) -> Request:
    filters = {} if state is None else {"state": filter_value(state)}
    return _list(_path(organization_id, "badge_templates"), page=page, filters=filters)


def get_template(organization_id: Id, *, template_id: Id) -> Request:
    return Request(method="GET", path=_path(organization_id, "badge_templates", template_id))


# Badges


def _as_states(value: Iterable[str]) -> frozenset[str]:
    return frozenset(value)


def _as_uuid(value: Id | None) -> UUID | None:
    return None if value is None else UUID(canonical_id(value))


@attrs.frozen(kw_only=True)
class BadgeFilter:
    """Which badges a list holds; what is not set does not matter. Text is compared exactly,
    addresses without case. Raises ValueError for a value that cannot stand in a filter.
    """

    issuer_earner_id: str | None = None
    template_id: UUID | None = attrs.field(default=None, converter=_as_uuid)
    recipient_email: str | None = attrs.field(default=None, repr=False)
    states: frozenset[str] = attrs.field(default=(), converter=_as_states)

    def to_query(self) -> dict[str, str]:
        named = {
            "issuer_earner_id": self.issuer_earner_id,
            "badge_template_id": None if self.template_id is None else str(self.template_id),
            "recipient_email": self.recipient_email,
        }
        query = {key: filter_value(value) for key, value in named.items() if value is not None}
        if self.states:
            query["state"] = ",".join(filter_value(state) for state in sorted(self.states))
        return query

    def admits(self, badge: IssuedBadge) -> bool:
        address = (badge.recipient_email or "").lower()
        return (
            self.issuer_earner_id in (None, badge.issuer_earner_id)
            and self.template_id in (None, badge.template_id)
            and (self.recipient_email is None or self.recipient_email.lower() == address)
            and (not self.states or badge.state in self.states)
        )


def list_badges(organization_id: Id, *, page: int, only: BadgeFilter) -> Request:
    return _list(_path(organization_id, "badges"), page=page, filters=only.to_query())


def get_badge(organization_id: Id, *, badge_id: Id) -> Request:
    return Request(method="GET", path=_path(organization_id, "badges", badge_id))


def issue_badge(organization_id: Id, *, badge: BadgeRequest) -> Request:
    return Request(
        method="POST", path=_path(organization_id, "badges"), body=badge.to_data(), changes=True
    )


def issue_badges(organization_id: Id, *, badges: Sequence[BadgeRequest]) -> Request:
    """ValueError: none, more than 50, or two that one look-up could not tell apart."""
    if not 0 < len(badges) <= LARGEST_BATCH:
        raise ValueError(f"a batch holds 1 to {LARGEST_BATCH} badges, not {len(badges)}")
    if len({(badge.template_id, badge.issuer_earner_id) for badge in badges}) < len(badges):
        raise ValueError("a batch holds one badge of a template for a learner")
    return Request(
        method="POST",
        path=_path(organization_id, "badges", "batch"),
        body={"badges": [badge.to_data() for badge in badges]},
        changes=True,
    )


def replace_badge(organization_id: Id, *, badge_id: Id, replacement: Replacement) -> Request:
    return Request(
        method="POST",
        path=_path(organization_id, "badges", badge_id, "replace"),
        body=replacement.to_data(),
        changes=True,
    )


def revoke_badge(
    organization_id: Id, *, badge_id: Id, reason: str, suppress_notification: bool = False
) -> Request:
    return Request(
        method="PUT",
        path=_path(organization_id, "badges", badge_id, "revoke"),
        body={
            "reason": reason,
            "suppress_revoke_notification_email": suppress_notification,
        },
        changes=True,
    )


def delete_badge(organization_id: Id, *, badge_id: Id) -> Request:
    return Request(method="DELETE", path=_path(organization_id, "badges", badge_id), changes=True)


# Events


def list_events(organization_id: Id, *, page: int) -> Request:
    return _list(_path(organization_id, "events"), page=page)


def get_event(organization_id: Id, *, event_id: Id) -> Request:
    return Request(method="GET", path=_path(organization_id, "events", event_id))


_WORDS = frozenset(
    {
        "authorization_tokens",
        "badge_templates",
        "badges",
        "batch",
        "events",
        "replace",
        "revoke",
        "rotate",
    }
)


def _path(organization_id: Id, *segments: Id) -> str:
    """A segment is a word of the API or a UUID; ValueError for anything else."""
    safe = [str(part) if part in _WORDS else canonical_id(part) for part in segments]
    return "/".join(("organizations", canonical_id(organization_id), *safe))


def _list(path: str, *, page: int, filters: Mapping[str, str] | None = None) -> Request:
    written = "|".join(f"{key}::{value}" for key, value in (filters or {}).items())
    query = (("page", str(page)), *((("filter", written),) if written else ()))
    return Request(method="GET", path=path, query=query)
