"""What is sent to Credly, as frozen values that know their JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Literal
from uuid import UUID

import attrs

from credly_client.shapes import canonical_id

DuplicateBehavior = Literal["deny", "allow", "replace"]
Expiry = date | Literal[False] | None
"""The last day of a badge; None is the template's default, False is never."""


@attrs.frozen(kw_only=True)
class UrlEvidence:
    """A public link that shows why the badge was earned."""

    value: str
    name: str = ""
    description: str = ""

    def to_data(self) -> dict[str, object]:
        return {
            "type": "UrlEvidence",
            "value": self.value,
            "name": self.name,
            "description": self.description,
        }


@attrs.frozen(kw_only=True)
class IdEvidence:
    """A public number or name of something that shows why the badge was earned."""

    id: str
    title: str = ""
    description: str = ""

    def to_data(self) -> dict[str, object]:
        return {
            "type": "IdEvidence",
            "title": self.title,
            "description": self.description,
            "id": self.id,
        }


Evidence = UrlEvidence | IdEvidence


def _as_uuid(value: UUID | str) -> UUID:
    return UUID(canonical_id(value))


def _has_a_zone(_: object, __: object, value: datetime) -> None:
    if value.tzinfo is None:
        raise ValueError("issued_at needs a time zone")


def _can_be_looked_up(_: object, __: object, value: str) -> None:
    filter_value(value)


@attrs.frozen(kw_only=True)
class BadgeRequest:
    """One badge to issue.

    `issued_at` is the award's time, with a zone. `issuer_earner_id` is our stable name for the
    learner, the only thing by which a lost answer can be looked up. `duplicate_behavior` says
    what Credly does when the learner has the badge, also where the template allows duplicates.
    Evidence is always public. Raises ValueError when a value does not fit.
    """

    template_id: UUID = attrs.field(converter=_as_uuid)
    recipient_email: str = attrs.field(repr=False)
    first_name: str = attrs.field(repr=False)
    last_name: str = attrs.field(repr=False)
    issued_at: datetime = attrs.field(validator=_has_a_zone)
    issuer_earner_id: str = attrs.field(validator=_can_be_looked_up)
    middle_name: str | None = attrs.field(default=None, repr=False)
    locale: str | None = None
    country_name: str | None = attrs.field(default=None, repr=False)
    state_or_province: str | None = attrs.field(default=None, repr=False)
    suppress_notification: bool = False
    expires_at: Expiry = None
    evidence: tuple[Evidence, ...] = attrs.field(default=(), repr=False)
    duplicate_behavior: DuplicateBehavior = "deny"

    def to_data(self) -> dict[str, object]:
        """The JSON body of POST `badges`; what is not set is not sent."""
        optional: Mapping[str, object] = {
            "issued_to_middle_name": self.middle_name,
            "locale": self.locale,
            "country_name": self.country_name,
            "state_or_province": self.state_or_province,
            "evidence": [item.to_data() for item in self.evidence],
        }
        return {
            "recipient_email": self.recipient_email,
            "issued_to_first_name": self.first_name,
            "issued_to_last_name": self.last_name,
            "badge_template_id": str(self.template_id),
            "issued_at": written(self.issued_at),
            "issuer_earner_id": self.issuer_earner_id,
            "suppress_badge_notification_email": self.suppress_notification,
            "duplicate_behavior": self.duplicate_behavior,
            **{key: value for key, value in optional.items() if value},
            **_expiry(self.expires_at),
        }


@attrs.frozen(kw_only=True)
class Replacement:
    """The badge that takes the place of another. See `BadgeRequest` for the values."""

    template_id: UUID = attrs.field(converter=_as_uuid)
    issued_at: datetime = attrs.field(validator=_has_a_zone)
    expires_at: Expiry = None
    notification_message: str | None = attrs.field(default=None, repr=False)

    def to_data(self) -> dict[str, object]:
        """The JSON body of POST `badges/<id>/replace`; what is not set is not sent."""
        data: dict[str, object] = {
            "badge_template_id": str(self.template_id),
            "issued_at": written(self.issued_at),
            **_expiry(self.expires_at),
        }
        if self.notification_message:
            data["notification_message"] = self.notification_message
        return data


def _expiry(value: Expiry) -> dict[str, object]:
    return {} if value is None else {"expires_at": value and value.isoformat()}


def written(value: datetime) -> str:
    """ISO 8601 in UTC, in the form that Credly answers: `2014-04-01T14:41:00.000Z`."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def filter_value(value: str) -> str:
    """`value`, if it can stand in `filter=key::value|...`; else ValueError."""
    if not value or any(separator in value for separator in ("|", ",", "::")):
        raise ValueError(f"can not be used in a filter: {value!r}")
    return value
