"""Every change of a badge, with Credly's rules. Each one records its event.

The caller holds the lock. All raise `Refusal` and then have changed nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from credly_client.sandbox import documents
from credly_client.sandbox.messages import (
    BLANK,
    Call,
    Document,
    Refusal,
    invalid,
    read_moment,
    written,
)
from credly_client.sandbox.world import World

REQUIRED = (
    "recipient_email",
    "issued_to_first_name",
    "issued_to_last_name",
    "badge_template_id",
    "issued_at",
)
OPTIONAL_TEXT = ("issued_to_middle_name", "issuer_earner_id", "locale")


@dataclass(frozen=True, kw_only=True)
class IssueRules:
    """What is not known of Credly, set by switches."""

    accepted_at_once: bool = False
    revoked_block: bool = False


def issue_badge(world: World, *, organization_id: str, call: Call, rules: IssueRules) -> Document:
    body = call.body
    errors = {key: BLANK for key in REQUIRED if not str(body.get(key) or "").strip()}
    errors |= _wrong_fields(body, already=errors)
    if errors:
        raise invalid(errors)
    template = world.templates.get(str(body["badge_template_id"]).lower())
    if template is None or template["deleted"] or template["organization_id"] != organization_id:
        raise invalid({"badge_template_id": "is not a template of this organization"})
    if template["state"] != "active":
        raise invalid({"badge_template_id": f"is {template['state']} and can not be issued"})
    if not template["allow_duplicate_badges"]:
        _refuse_duplicate(world, template=template, body=body, rules=rules)
    record = _new_badge(body, template=template, rules=rules, now=call.now)
    world.add_badge(record)
    _badge_event(world, record, event_type="badge.created", what="issued", call=call)
    return record


def _wrong_fields(body: Mapping[str, Any], *, already: Mapping[str, str]) -> dict[str, str]:
    wrong = {
        key: "is not text"
        for key in (*REQUIRED, *OPTIONAL_TEXT)
        if body.get(key) is not None and not isinstance(body[key], str)
    }
    checked = {*wrong, *already}
    if "recipient_email" not in checked and "@" not in body["recipient_email"]:
        wrong["recipient_email"] = "is not an e-mail address"
    if "issued_at" not in checked and read_moment(body["issued_at"]) is None:
        wrong["issued_at"] = "is not a date and time"
    expires_at = body.get("expires_at")
    if expires_at not in (None, False) and read_moment(expires_at) is None:
        wrong["expires_at"] = "is not a date"
    return wrong


def _refuse_duplicate(
    world: World, *, template: Document, body: Mapping[str, Any], rules: IssueRules
) -> None:
    blocking = {"pending", "accepted"} | ({"revoked"} if rules.revoked_block else set())
    same = world.badges_of(
        template_id=template["id"],
        email=body["recipient_email"],
        earner_id=body.get("issuer_earner_id") or "",
    )
    if any(badge["state"] in blocking for badge in same):
        raise Refusal(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"Validation failed: {body['recipient_email']} already has this badge",
            errors={"base": "User already has this badge"},
        )


def _new_badge(
    body: Mapping[str, Any], *, template: Document, rules: IssueRules, now: datetime
) -> Document:
    issued_at = read_moment(body["issued_at"])
    expires_at = read_moment(body["expires_at"]) if body.get("expires_at") else None
    return {
        "id": str(uuid4()),
        "organization_id": template["organization_id"],
        "template_id": template["id"],
        "state": "accepted" if rules.accepted_at_once else "pending",
        "recipient_email": body["recipient_email"],
        "issued_to_first_name": body["issued_to_first_name"],
        "issued_to_last_name": body["issued_to_last_name"],
        "issued_to_middle_name": body.get("issued_to_middle_name"),
        "issuer_earner_id": body.get("issuer_earner_id"),
        "public": True,
        "locale": body.get("locale") or "en",
        "issued_at": written(issued_at or now),
        "expires_at": date.isoformat(expires_at) if expires_at else None,
        "created_at": written(now),
        "updated_at": written(now),
        "state_updated_at": written(now),
        "replaces_badge_id": None,
        "replacement_badge_id": None,
        "revocation_reason": None,
        "evidence": body.get("evidence") or [],
        "suppressed_notification": bool(body.get("suppress_badge_notification_email")),
        "deleted": False,
        "history": [],
    }


def revoke_badge(world: World, record: Document, *, call: Call, reason: str) -> Document:
    if record["replacement_badge_id"]:
        raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "A replaced badge cannot be revoked")
    if record["state"] == "revoked":
        raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "This badge is revoked already")
    record["revocation_reason"] = reason
    return _set_state(world, record, state="revoked", call=call)


def answer_badge(world: World, record: Document, *, call: Call, state: str) -> Document:
    """The learner accepts or rejects; both need a pending badge."""
    if record["state"] != "pending":
        raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, f"The badge is {record['state']}")
    return _set_state(world, record, state=state, call=call)


def set_public(world: World, record: Document, *, call: Call, public: bool) -> Document:
    record["public"] = public
    what = "made public" if public else "made private"
    _badge_event(world, record, event_type="badge.privacy.changed", what=what, call=call)
    return record


def delete_badge(world: World, record: Document, *, call: Call) -> Document:
    record["deleted"] = True
    _badge_event(world, record, event_type="badge.deleted", what="deleted", call=call)
    return record


def _set_state(world: World, record: Document, *, state: str, call: Call) -> Document:
    record["state"] = state
    record["state_updated_at"] = written(call.now)
    _badge_event(world, record, event_type="badge.state.changed", what=state, call=call)
    return record


def _badge_event(world: World, record: Document, *, event_type: str, what: str, call: Call) -> None:
    record["updated_at"] = written(call.now)
    record["history"].append({"at": written(call.now), "what": what, "state": record["state"]})
    world.record_event(
        event_type,
        organization_id=record["organization_id"],
        resource=documents.badge(record, world=world, url=call.url),
        now=call.now,
    )
