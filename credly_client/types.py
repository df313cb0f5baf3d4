"""What Credly's answers and our requests mean, as frozen values.

`from_data` takes the decoded JSON of one object, ignores unknown keys and raises
`MalformedAnswer` when a declared key has another shape. States are plain text: a state that
Credly invents tomorrow must reach the caller, not break the parser. Personal fields stay out
of `repr`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Generic, Literal, Self, TypeVar
from uuid import UUID

import attrs

from credly_client.shapes import (
    boolean,
    canonical_id,
    day,
    identifier,
    mapping,
    moment,
    number,
    optional,
    required,
    sequence,
    text,
)

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
    webhook_url: str | None = None

    @classmethod
    def from_data(cls, value: object) -> Self:
        data = mapping(value, name="organization")
        return cls(
            id=required(data, "id", identifier),
            name=required(data, "name", text),
            webhook_url=optional(data, "webhook_url", text),
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
    allow_duplicate_badges: bool | None = None
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
            allow_duplicate_badges=optional(data, "allow_duplicate_badges", boolean),
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


def _as_uuid(value: UUID | str) -> UUID:
    return UUID(canonical_id(value))


@attrs.frozen(kw_only=True)
class BadgeRequest:
    """One badge to issue.

    `issued_at` is the award's time, with a zone. `issuer_earner_id` is our stable name for the
    learner, the only thing by which a lost answer can be looked up. `expires_at`: a date, None
    for the template's default, False for never. Raises ValueError when one of them does not fit.
    """

    template_id: UUID = attrs.field(converter=_as_uuid)
    recipient_email: str = attrs.field(repr=False)
    first_name: str = attrs.field(repr=False)
    last_name: str = attrs.field(repr=False)
    issued_at: datetime = attrs.field()
    issuer_earner_id: str = attrs.field()
    middle_name: str | None = attrs.field(default=None, repr=False)
    locale: str | None = None
    suppress_notification: bool = False
    expires_at: date | Literal[False] | None = None

    @issued_at.validator
    def _has_a_zone(self, _: object, value: datetime) -> None:
        if value.tzinfo is None:
            raise ValueError("issued_at needs a time zone")

    @issuer_earner_id.validator
    def _can_be_looked_up(self, _: object, value: str) -> None:
        filter_value(value)

    def to_data(self) -> dict[str, object]:
        """The JSON body of POST `badges`; what is not set is not sent."""
        data: dict[str, object] = {
            "recipient_email": self.recipient_email,
            "issued_to_first_name": self.first_name,
            "issued_to_last_name": self.last_name,
            "badge_template_id": str(self.template_id),
            "issued_at": written(self.issued_at),
            "issuer_earner_id": self.issuer_earner_id,
            "suppress_badge_notification_email": self.suppress_notification,
        }
        if self.middle_name:
            data["issued_to_middle_name"] = self.middle_name
        if self.locale:
            data["locale"] = self.locale
        if self.expires_at is not None:
            data["expires_at"] = self.expires_at and self.expires_at.isoformat()
        return data


def written(value: datetime) -> str:
    """ISO 8601 in UTC, in the form that Credly answers: `2014-04-01T14:41:00.000Z`."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def filter_value(value: str) -> str:
    """`value`, if it can stand in `filter=key::value|...`; else ValueError."""
    if not value or any(separator in value for separator in ("|", ",", "::")):
        raise ValueError(f"can not be used in a filter: {value!r}")
    return value


def owner_id(value: object, *, name: str) -> UUID:
    """`{"id": ..., "name": ...}` -> the id."""
    return required(mapping(value, name=name), "id", identifier)


def _named(parse: Callable[[object], T]) -> Callable[..., T]:
    def read(value: object, *, name: str) -> T:  # noqa: ARG001  (the type names itself)
        return parse(value)

    return read
