"""Every change of an organization or a template. Each one of a template records its event.

The caller holds the lock. All raise `Refusal` and then have changed nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from credly_client.sandbox import documents
from credly_client.sandbox.messages import BLANK, Call, Document, invalid, not_found, written
from credly_client.sandbox.world import World


def put_organization(world: World, *, call: Call) -> Document:
    body = call.body
    _require(body, "name", "token")
    record_id = _own_id(body)
    webhook_url = body.get("webhook_url")
    if webhook_url and urlsplit(str(webhook_url)).scheme not in ("http", "https"):
        raise invalid({"webhook_url": "is not an http(s) URL"})
    taken = world.organization_of_token(body["token"])
    if taken is not None and taken["id"] != record_id:
        raise invalid({"token": "belongs to another organization"})
    known = world.organizations.get(record_id, {"created_at": written(call.now)})
    record = known | {
        "id": record_id,
        "name": body["name"],
        "token": body["token"],
        "webhook_url": body.get("webhook_url", known.get("webhook_url")) or None,
        "updated_at": written(call.now),
    }
    world.organizations[record_id] = record
    world.touch()
    return record


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
}


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
