"""New badges, with Credly's rules: one, a batch, in place of another.

The caller holds the lock. All raise `Refusal` and then have changed nothing, but for a batch
that is told to keep what came before its fault.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from credly_client.sandbox import actions
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

LARGEST_BATCH = 50
REQUIRED = (
    "recipient_email",
    "issued_to_first_name",
    "issued_to_last_name",
    "badge_template_id",
    "issued_at",
)
REQUIRED_TO_REPLACE = ("badge_template_id", "issued_at")
OPTIONAL_TEXT = (
    "issued_to_middle_name",
    "issuer_earner_id",
    "locale",
    "country_name",
    "state_or_province",
)
BEHAVIORS = ("deny", "allow", "replace")
EVIDENCE = {"UrlEvidence": "value", "IdEvidence": "id"}
"""Kinds of evidence, and the key that each must have."""


@dataclass(frozen=True, kw_only=True)
class IssueRules:
    """What is not known of Credly, set by switches."""

    accepted_at_once: bool = False
    revoked_block: bool = False
    batch_stops_in_the_middle: bool = False


def issue_badge(
    world: World, *, organization_id: str, body: Mapping[str, Any], call: Call, rules: IssueRules
) -> Document:
    template = _checked(world, organization_id=organization_id, body=body)
    blocking = _duplicates(world, template=template, body=body, rules=rules)
    behavior = _behavior(body, template=template)
    if blocking and behavior == "deny":
        raise _duplicate(body)
    record = _new_badge(body, template=template, rules=rules, call=call)
    if blocking and behavior == "replace" and world.is_live(blocking[-1]):
        actions.put_in_place(world, record, replaced=blocking[-1], call=call)
    else:
        actions.add(world, record, call=call)
    return record


def issue_batch(
    world: World, *, organization_id: str, call: Call, rules: IssueRules
) -> list[Document]:
    bodies = call.body.get("badges")
    if not isinstance(bodies, list) or not 0 < len(bodies) <= LARGEST_BATCH:
        raise invalid({"badges": f"is not a list of 1 to {LARGEST_BATCH} badges"})
    if not rules.batch_stops_in_the_middle:
        for index, body in enumerate(bodies):
            with _blaming(index):
                _check_in_batch(world, organization_id=organization_id, bodies=bodies[: index + 1])
                _refuse_if_held(world, organization_id=organization_id, body=body, rules=rules)
    issued = []
    for index, body in enumerate(bodies):
        with _blaming(index):
            _object(body)
            issued.append(
                issue_badge(
                    world, organization_id=organization_id, body=body, call=call, rules=rules
                )
            )
    return issued


class _blaming:  # noqa: N801  (reads as a statement)
    """Adds the place in the batch to a refusal."""

    def __init__(self, index: int) -> None:
        self._index = index

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, Refusal):
            error.data["error_index"] = self._index


def _check_in_batch(world: World, *, organization_id: str, bodies: list[Mapping[str, Any]]) -> None:
    """The last of `bodies` is well-formed and no duplicate of one before it."""
    *before, body = bodies
    template = _checked(world, organization_id=organization_id, body=_object(body))
    if _behavior(body, template=template) != "deny":
        return
    mine = world.holders(body, template_id=template["id"])
    for other in before:
        if mine & world.holders(other, template_id=str(other["badge_template_id"]).lower()):
            raise _duplicate(body)


def _refuse_if_held(
    world: World, *, organization_id: str, body: Mapping[str, Any], rules: IssueRules
) -> None:
    template = _checked(world, organization_id=organization_id, body=body)
    if _behavior(body, template=template) == "deny" and _duplicates(
        world, template=template, body=body, rules=rules
    ):
        raise _duplicate(body)


def replace_badge(world: World, replaced: Document, *, call: Call, rules: IssueRules) -> Document:
    """The new badge: the same learner, another template or time."""
    if replaced["replacement_badge_id"]:
        raise Refusal(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "Validation failed: "
            "This badge cannot be replaced because it has already been replaced.",
            metadata={"current_badge_id": world.current_badge(replaced)["id"]},
        )
    if not world.is_live(replaced):
        raise Refusal(
            HTTPStatus.UNPROCESSABLE_ENTITY, f"The badge is {replaced['state']}, not held"
        )
    kept = ("recipient_email", *OPTIONAL_TEXT, "issued_to_first_name", "issued_to_last_name")
    body = {**{key: replaced.get(key) for key in kept}, **call.body}
    template = _checked(
        world,
        organization_id=replaced["organization_id"],
        body=body,
        required=REQUIRED_TO_REPLACE,
    )
    others = _duplicates(world, template=template, body=body, rules=rules)
    if any(badge["id"] != replaced["id"] for badge in others):
        raise _duplicate(body)
    record = _new_badge(body, template=template, rules=rules, call=call)
    record["notification_message"] = call.body.get("notification_message")
    actions.put_in_place(world, record, replaced=replaced, call=call)
    return record


# Rules


def _object(body: Any) -> Mapping[str, Any]:
    if not isinstance(body, dict):
        raise invalid({"badges": "is not a list of objects"})
    return body


def _checked(
    world: World,
    *,
    organization_id: str,
    body: Mapping[str, Any],
    required: tuple[str, ...] = REQUIRED,
) -> Document:
    """The template that can be issued with these values."""
    errors = {key: BLANK for key in required if not str(body.get(key) or "").strip()}
    errors |= _wrong_fields(body, already=errors)
    if errors:
        raise invalid(errors)
    template = world.templates.get(str(body["badge_template_id"]).lower())
    if template is None or template["deleted"] or template["organization_id"] != organization_id:
        raise invalid({"badge_template_id": "is not a template of this organization"})
    if template["state"] != "active":
        raise invalid({"badge_template_id": f"is {template['state']} and can not be issued"})
    return template


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
    if body.get("duplicate_behavior") not in (None, *BEHAVIORS):
        wrong["duplicate_behavior"] = f"is not one of {', '.join(BEHAVIORS)}"
    if not _is_evidence(body.get("evidence") or []):
        wrong["evidence"] = "is not a list of UrlEvidence with a value or IdEvidence with an id"
    return wrong


def _is_evidence(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(item, dict) and item.get(EVIDENCE.get(str(item.get("type")), "type of none"))
        for item in value
    )


def _behavior(body: Mapping[str, Any], *, template: Document) -> str:
    """What the call says stands above what the template says."""
    by_template = "allow" if template["allow_duplicate_badges"] else "deny"
    return str(body.get("duplicate_behavior") or by_template)


def _duplicates(
    world: World, *, template: Document, body: Mapping[str, Any], rules: IssueRules
) -> list[Document]:
    return [
        badge
        for badge in world.badges_held(body, template_id=template["id"])
        if world.is_live(badge) or (rules.revoked_block and badge["state"] == "revoked")
    ]


def _duplicate(body: Mapping[str, Any]) -> Refusal:
    return Refusal(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        f"Validation failed: {body['recipient_email']} already has this badge",
        errors={"base": "User already has this badge"},
    )


def _new_badge(
    body: Mapping[str, Any], *, template: Document, rules: IssueRules, call: Call
) -> Document:
    now = written(call.now)
    issued_at = read_moment(body["issued_at"]) or call.now
    expires_at = read_moment(body["expires_at"]) if body.get("expires_at") else None
    if body.get("expires_at") is None and template["expires_after_days"]:
        expires_at = issued_at + timedelta(days=int(template["expires_after_days"]))
    given = ("recipient_email", "issued_to_first_name", "issued_to_last_name", *OPTIONAL_TEXT)
    return {
        **{key: body.get(key) for key in given},
        "id": str(uuid4()),
        "organization_id": template["organization_id"],
        "template_id": template["id"],
        "state": "accepted" if rules.accepted_at_once else "pending",
        "public": True,
        "locale": body.get("locale") or "en",
        "issued_at": written(issued_at),
        "expires_at": expires_at.date().isoformat() if expires_at else None,
        "created_at": now,
        "updated_at": now,
        "state_updated_at": now,
        "replaces_badge_id": None,
        "replacement_badge_id": None,
        "revocation_reason": None,
        "evidence": body.get("evidence") or [],
        "suppressed_notification": bool(body.get("suppress_badge_notification_email")),
        "deleted": False,
        "history": [],
    }
