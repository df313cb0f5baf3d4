"""Every change of an organization or a template. Each one of a template records its event.

The caller holds the lock. All raise `Refusal` and then have changed nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from credly_client.sandbox import documents, keys
from credly_client.sandbox.messages import BLANK, Call, Document, invalid, not_found, written
from credly_client.sandbox.world import World


def put_organization(world: World, *, call: Call) -> Document:
    """A new organization needs a name, and a token or a client id with its secret."""
    body = call.body
    record_id = _own_id(body)
    known = world.organizations.get(record_id)
    if known is None:
        _require(body, "name", *(() if body.get("client_id") else ("token",)))
        known = {
            "id": record_id,
            "name": "",
            "webhook_url": None,
            "allowed_webhooks": None,
            "client_id": None,
            "client_secret": None,
            "created_at": written(call.now),
        }
    changed = _changed_organization(known, call=call)
    for key in ("client_id", "client_secret"):
        if key in body:
            changed[key] = body[key] or None
    if body.get("token"):
        keys.give_token(
            world,
            organization_id=record_id,
            token=str(body["token"]),
            now=call.now,
            expires_at=body.get("token_expires_at"),
        )
    world.organizations[record_id] = changed
    world.touch()
    return changed


def change_organization(world: World, record_id: str, *, call: Call) -> Document:
    """What an organization may change of itself."""
    world.organizations[record_id] = _changed_organization(
        world.organizations[record_id], call=call
    )
    world.touch()
    return world.organizations[record_id]


def _changed_organization(known: Document, *, call: Call) -> Document:
    given = {
        key: call.body[key]
        for key in ("name", "webhook_url", "allowed_webhooks")
        if key in call.body
    }
    url = given.get("webhook_url")
    if url and urlsplit(str(url)).scheme not in ("http", "https"):
        raise invalid({"webhook_url": "is not an http(s) URL"})
    allowed = given.get("allowed_webhooks")
    if allowed is not None and (not isinstance(allowed, list) or not set(allowed) <= EVENT_TYPES):
        raise invalid({"allowed_webhooks": "is not a list of types of events"})
    if not str(given.get("name", known["name"]) or "").strip():
        raise invalid({"name": BLANK})
    if "webhook_url" in given:
        given["webhook_url"] = url or None
    return known | given | {"updated_at": written(call.now)}


EVENT_TYPES = frozenset(
    {
        "badge.created",
        "badge.deleted",
        "badge.privacy.changed",
        "badge.state.changed",
        "badge_template.created",
        "badge_template.changed",
        "badge_template.deleted",
        "pending_badge_notification.sent",
    }
)
TEMPLATE_DEFAULTS: Mapping[str, Any] = {
    "name": "",
    "description": "",
    "state": "active",
    "public": True,
    "image_url": None,
    "url": None,
    "vanity_slug": None,
    "allow_duplicate_badges": False,
    "skills": [],
    "reporting_tags": [],
    "expires_after_days": None,
}
"""`expires_after_days` is the sandbox's own: what a badge with `expires_at` null takes."""


def put_template(world: World, *, call: Call) -> Document:
    """A new template needs organization_id and name; an update takes what it is given."""
    record_id = _own_id(call.body)
    known = world.templates.get(record_id)
    if known is None:
        _require(call.body, "organization_id", "name")
        organization_id = str(call.body["organization_id"]).lower()
        if organization_id not in world.organizations:
            raise not_found("Organization")
        known = {
            **TEMPLATE_DEFAULTS,
            "id": record_id,
            "organization_id": organization_id,
            "created_at": written(call.now),
            "deleted": False,
        }
    given = {key: call.body[key] for key in TEMPLATE_DEFAULTS if key in call.body}
    days = given.get("expires_after_days")
    if days is not None and not str(days).isdecimal():
        raise invalid({"expires_after_days": "is not a number of days"})
    if given.get("state", "active") not in ("active", "archived", "draft"):
        raise invalid({"state": "is not active, archived or draft"})
    is_new = record_id not in world.templates
    world.templates[record_id] = known | given | {"deleted": False}
    _template_event(
        world,
        record_id,
        event_type="badge_template.created" if is_new else "badge_template.changed",
        call=call,
    )
    return world.templates[record_id]


def archive_template(world: World, record_id: str, *, call: Call) -> Document:
    record = world.template_of(record_id)
    record["state"] = "archived"
    _template_event(world, record_id, event_type="badge_template.changed", call=call)
    return record


def delete_template(world: World, record_id: str, *, call: Call) -> Document:
    """Its badges stay, so the record does too; the API knows it no longer."""
    record = world.template_of(record_id)
    record["deleted"] = True
    _template_event(world, record_id, event_type="badge_template.deleted", call=call)
    return record


def _template_event(world: World, record_id: str, *, event_type: str, call: Call) -> None:
    record = world.templates[record_id]
    record["updated_at"] = written(call.now)
    world.record_event(
        event_type,
        organization_id=record["organization_id"],
        resource=documents.template(record, world=world),
        now=call.now,
    )


def _own_id(body: Mapping[str, Any]) -> str:
    try:
        return str(UUID(str(body["id"]))) if body.get("id") else str(uuid4())
    except ValueError as error:
        raise invalid({"id": "is not a UUID"}) from error


def _require(body: Mapping[str, Any], *keys: str) -> None:
    errors = {
        key: BLANK for key in keys if not isinstance(body.get(key), str) or not body[key].strip()
    }
    if errors:
        raise invalid(errors)
