"""Builds requests, pure: what to send, not how. One function per call of the API.

Paths are relative to the configured base URL and made of constants and checked UUIDs only.
Source: https://www.credly.com/docs/web_service_api
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal
from uuid import UUID

import attrs

from credly_client.shapes import canonical_id
from credly_client.types import BadgeRequest, filter_value

Method = Literal["GET", "POST", "PUT", "DELETE"]
Id = UUID | str


@attrs.frozen(kw_only=True)
class Request:
    """`changes` is true when a lost answer leaves the outcome unknown."""

    method: Method
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: Mapping[str, object] | None = attrs.field(default=None, repr=False)
    changes: bool = False

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def get_organization(organization_id: Id) -> Request:
    return Request(method="GET", path=_path(organization_id))


def list_templates(organization_id: Id, *, page: int, state: str | None = None) -> Request:
    filters = () if state is None else (("state", state),)
    return Request(
        method="GET",
        path=_path(organization_id, "badge_templates"),
        query=_list_query(page=page, filters=filters),
    )


def get_template(organization_id: Id, *, template_id: Id) -> Request:
    return Request(method="GET", path=_path(organization_id, "badge_templates", template_id))


def issue_badge(organization_id: Id, *, badge: BadgeRequest) -> Request:
    return Request(
        method="POST",
        path=_path(organization_id, "badges"),
        body=badge.to_data(),
        changes=True,
    )


def get_badge(organization_id: Id, *, badge_id: Id) -> Request:
    return Request(method="GET", path=_path(organization_id, "badges", badge_id))


def find_badges(
    organization_id: Id,
    *,
    issuer_earner_id: str,
    template_id: Id,
    states: Iterable[str],
    page: int,
) -> Request:
    filters = (
        ("issuer_earner_id", filter_value(issuer_earner_id)),
        ("badge_template_id", canonical_id(template_id)),
        ("state", ",".join(filter_value(state) for state in states)),
    )
    return Request(
        method="GET",
        path=_path(organization_id, "badges"),
        query=_list_query(page=page, filters=filters),
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


def get_event(organization_id: Id, *, event_id: Id) -> Request:
    return Request(method="GET", path=_path(organization_id, "events", event_id))


_WORDS = frozenset({"badge_templates", "badges", "events", "revoke"})


def _path(organization_id: Id, *segments: Id) -> str:
    """A segment is a word of the API or a UUID; ValueError for anything else."""
    safe = [str(part) if part in _WORDS else canonical_id(part) for part in segments]
    return "/".join(("organizations", canonical_id(organization_id), *safe))


def _list_query(*, page: int, filters: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    written = "|".join(f"{key}::{value}" for key, value in filters)
    return (("page", str(page)), *((("filter", written),) if written else ()))
