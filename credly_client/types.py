"""What Credly's answers mean, as frozen values.

`from_data` takes the decoded JSON of one object, ignores unknown keys and raises
`MalformedAnswer` when a declared key has another shape. States are plain text: a state that
Credly invents tomorrow must reach the caller, not break the parser. Personal fields stay out
of `repr`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Generic, Self, TypeVar
from uuid import UUID

import attrs

from credly_client.bodies import BadgeRequest, Evidence, IdEvidence, UrlEvidence
from credly_client.shapes import (
    boolean,
    day,
    identifier,
    mapping,
    moment,
    number,
    optional,
    required,
    sequence,
    text,
    texts,
)

__all__ = [
    "HELD",
    "AuthorizationToken",
    "BadgeRequest",
    "BadgeState",
    "BadgeTemplate",
    "Event",
    "IssuedBadge",
    "Organization",
    "Page",
    "TemplateState",
]

T = TypeVar("T")


class BadgeState(StrEnum):
    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    REVOKED = "revoked"


class TemplateState(StrEnum):
    ACTIVE = "active"
    ARCHIVED = "archived"
    DRAFT = "draft"


HELD = (BadgeState.PENDING, BadgeState.ACCEPTED)
"""The states in which the learner has the badge, so that another one would be a duplicate."""


@attrs.frozen(kw_only=True)
class Organization:
    id: UUID
    name: str
    webhook_url: str | None = attrs.field(default=None, repr=False)
    allowed_webhooks: tuple[str, ...] = ()

    @classmethod
    def from_data(cls, value: object) -> Self:
        data = mapping(value, name="organization")
        return cls(
            id=required(data, "id", identifier),
            name=required(data, "name", text),
            webhook_url=optional(data, "webhook_url", text),
            allowed_webhooks=optional(data, "allowed_webhooks", texts) or (),
        )


@attrs.frozen(kw_only=True)
class AuthorizationToken:
    """A key of the organization. It dies at `expires_at`, 180 days after it was made.

    `token` is the secret itself; a list may leave it out.
    """

    id: UUID
    token: str | None = attrs.field(default=None, repr=False)
    description: str = ""
    read_enabled: bool | None = None
    write_enabled: bool | None = None
    delete_enabled: bool | None = None
    created_at: datetime | None = None
    expires_at: datetime | None = None
    owner_id: UUID | None = None

    @classmethod
    def from_data(cls, value: object) -> Self:
        data = mapping(value, name="authorization_token")
        return cls(
            id=required(data, "id", identifier),
            token=optional(data, "token", text),
            description=optional(data, "description", text) or "",
            read_enabled=optional(data, "read_enabled", boolean),
            write_enabled=optional(data, "write_enabled", boolean),
            delete_enabled=optional(data, "delete_enabled", boolean),
            created_at=optional(data, "created_at", moment),
            expires_at=optional(data, "expires_at", moment),
            owner_id=optional(data, "owner_id", identifier) or optional(data, "owner", owner_id),
        )


@attrs.frozen(kw_only=True)
class BadgeTemplate:
    """`owner_id` is the organization; events carry fewer keys than the template call does."""

    id: UUID
    name: str
    state: str
    description: str = ""
    owner_id: UUID | None = None
    image_url: str | None = None
    url: str | None = None
    public: bool | None = None
    vanity_slug: str | None = None
    allow_duplicate_badges: bool | None = None
    skills: tuple[str, ...] = ()
    reporting_tags: tuple[str, ...] = ()
    created_at: datetime | None = None
    updated_at: datetime | None = None

    @classmethod
    def from_data(cls, value: object) -> Self:
        data = mapping(value, name="badge_template")
        return cls(
            id=required(data, "id", identifier),
            name=required(data, "name", text),
            state=required(data, "state", text),
            description=optional(data, "description", text) or "",
            owner_id=optional(data, "owner", owner_id),
            image_url=optional(data, "image_url", text),
            url=optional(data, "url", text),
            public=optional(data, "public", boolean),
            vanity_slug=optional(data, "vanity_slug", text),
            allow_duplicate_badges=optional(data, "allow_duplicate_badges", boolean),
            skills=optional(data, "skills", texts) or (),
            reporting_tags=optional(data, "reporting_tags", texts) or (),
            created_at=optional(data, "created_at", moment),
            updated_at=optional(data, "updated_at", moment),
        )


@attrs.frozen(kw_only=True)
class IssuedBadge:
    """`accept_badge_url` is there while pending, `badge_url` once accepted, neither when revoked.

    "Expired" is no state: it follows from `expires_at`.
    """

    id: UUID
    state: str
    template_id: UUID
    template_owner_id: UUID | None = None
    issuer_earner_id: str | None = None
    recipient_email: str | None = attrs.field(default=None, repr=False)
    first_name: str | None = attrs.field(default=None, repr=False)
    last_name: str | None = attrs.field(default=None, repr=False)
    public: bool | None = None
    issued_at: datetime | None = None
    expires_at: date | None = None
    updated_at: datetime | None = None
    state_updated_at: datetime | None = None
    accept_badge_url: str | None = attrs.field(default=None, repr=False)
    badge_url: str | None = None
    image_url: str | None = None
    replaces_badge_id: UUID | None = None
    replacement_badge_id: UUID | None = None
    revocation_reason: str | None = attrs.field(default=None, repr=False)
    evidence: tuple[Evidence, ...] = attrs.field(default=(), repr=False)

    @classmethod
    def from_data(cls, value: object) -> Self:
        data = mapping(value, name="badge")
        template = required(data, "badge_template", mapping)
        return cls(
            id=required(data, "id", identifier),
            state=required(data, "state", text),
            template_id=required(template, "id", identifier),
            template_owner_id=optional(template, "owner", owner_id),
            issuer_earner_id=optional(data, "issuer_earner_id", text),
            recipient_email=optional(data, "recipient_email", text),
            first_name=optional(data, "issued_to_first_name", text),
            last_name=optional(data, "issued_to_last_name", text),
            public=optional(data, "public", boolean),
            issued_at=optional(data, "issued_at", moment),
            expires_at=optional(data, "expires_at", day),
            updated_at=optional(data, "updated_at", moment),
            state_updated_at=optional(data, "state_updated_at", moment),
            accept_badge_url=optional(data, "accept_badge_url", text),
            badge_url=optional(data, "badge_url", text),
            image_url=optional(data, "image_url", text),
            replaces_badge_id=optional(data, "replaces_badge_id", identifier),
            replacement_badge_id=optional(data, "replacement_badge_id", identifier),
            revocation_reason=optional(data, "revocation_reason", text),
            evidence=optional(data, "evidence", _evidence) or (),
        )


@attrs.frozen(kw_only=True)
class Event:
    """A webhook's event as fetched back. Types that concern neither carry no resource."""

    id: UUID
    event_type: str
    occurred_at: datetime | None = None
    organization_id: UUID | None = None
    badge: IssuedBadge | None = None
    badge_template: BadgeTemplate | None = None

    @classmethod
    def from_data(cls, value: object) -> Self:
        data = mapping(value, name="event")
        return cls(
            id=required(data, "id", identifier),
            event_type=required(data, "event_type", text),
            occurred_at=optional(data, "occurred_at", moment),
            organization_id=optional(data, "organization_id", identifier)
            or optional(data, "organization", owner_id),
            badge=optional(data, "badge", _named(IssuedBadge.from_data)),
            badge_template=optional(data, "badge_template", _named(BadgeTemplate.from_data)),
        )


@attrs.frozen(kw_only=True)
class Page(Generic[T]):
    """One page of a list. There is no next-page URL on purpose: see `client`, Note [Paging]."""

    items: tuple[T, ...]
    total_pages: int
    current_page: int | None = None
    total_count: int | None = None

    @classmethod
    def from_document(cls, document: object, *, parse: Callable[[object], T]) -> Self:
        """`document` is the whole answer, `{"data": [...], "metadata": {...}}`."""
        whole = mapping(document, name="answer")
        metadata = required(whole, "metadata", mapping)
        return cls(
            items=tuple(parse(item) for item in required(whole, "data", sequence)),
            total_pages=required(metadata, "total_pages", number),
            current_page=optional(metadata, "current_page", number),
            total_count=optional(metadata, "total_count", number),
        )


def _evidence(value: object, *, name: str) -> tuple[Evidence, ...]:
    """Kinds of evidence that are not known here are left out."""
    found = (_one_evidence(mapping(item, name=name)) for item in sequence(value, name=name))
    return tuple(item for item in found if item is not None)


def _one_evidence(data: Mapping[str, object]) -> Evidence | None:
    description = optional(data, "description", text) or ""
    match data.get("type"):
        case "UrlEvidence":
            name = optional(data, "name", text) or ""
            value = optional(data, "value", text) or ""
            return UrlEvidence(value=value, name=name, description=description)
        case "IdEvidence":
            title = optional(data, "title", text) or ""
            # Credly numbers its own records with text, and a course's number may be one.
            return IdEvidence(id=str(data.get("id") or ""), title=title, description=description)
    return None


def owner_id(value: object, *, name: str) -> UUID:
    """`{"id": ..., "name": ...}` -> the id."""
    return required(mapping(value, name=name), "id", identifier)


def _named(parse: Callable[[object], T]) -> Callable[..., T]:
    def read(value: object, *, name: str) -> T:  # noqa: ARG001  (the type names itself)
        return parse(value)

    return read
