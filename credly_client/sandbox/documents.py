"""How Credly shows a record: pure functions from a stored record to its public document."""

from __future__ import annotations

from collections.abc import Mapping

from credly_client.sandbox.messages import Document, read_moment
from credly_client.sandbox.world import World

_BADGE_KEYS = (
    "id",
    "state",
    "issued_to_first_name",
    "issued_to_middle_name",
    "issued_to_last_name",
    "recipient_email",
    "issuer_earner_id",
    "public",
    "locale",
    "issued_at",
    "expires_at",
    "created_at",
    "updated_at",
    "state_updated_at",
    "replaces_badge_id",
    "replacement_badge_id",
    "revocation_reason",
    "evidence",
)
_TEMPLATE_IN_BADGE = ("id", "name", "description", "state", "image_url", "url", "owner")


def organization(record: Mapping[str, object]) -> Document:
    hidden = ("client_id", "client_secret")
    return {key: value for key, value in record.items() if key not in hidden}


def authorization_token(record: Mapping[str, object], *, world: World) -> Document:
    owner = world.organizations[str(record["organization_id"])]
    shown = {key: value for key, value in record.items() if key != "organization_id"}
    return shown | {
        "owner_id": owner["id"],
        "owner": {"type": "Organization", "id": owner["id"], "name": owner["name"]},
    }


def template(record: Document, *, world: World) -> Document:
    owner = world.organizations[record["organization_id"]]
    hidden = ("organization_id", "deleted", "expires_after_days")
    shown = {key: value for key, value in record.items() if key not in hidden}
    return shown | {
        "owner": {"type": "Organization", "id": owner["id"], "name": owner["name"]},
    }


def badge(record: Document, *, world: World, url: str) -> Document:
    """`url`: where this sandbox is reached; badge links lead to its page."""
    whole = template(world.templates[record["template_id"]], world=world)
    names = (record["issued_to_first_name"], record["issued_to_last_name"])
    issued_at = read_moment(record["issued_at"])
    link = f"{url}/#{record['id']}"
    shown = {key: record[key] for key in _BADGE_KEYS}
    shown |= {
        "issued_to": " ".join(names),
        "issued_at_date": issued_at.date().isoformat() if issued_at else None,
        "badge_template": {key: whole[key] for key in _TEMPLATE_IN_BADGE},
        "issuer": {"summary": f"issued by {whole['owner']['name']}", "entities": []},
        "image_url": whole["image_url"],
    }
    if record["state"] == "pending":
        shown["accept_badge_url"] = link
    elif record["state"] == "accepted":
        shown["badge_url"] = link
    return shown


def event(record: Mapping[str, object]) -> Document:
    return {key: value for key, value in record.items() if key != "delivery"}


def webhook(record: Mapping[str, object]) -> Document:
    """The body of a callback: it names the event, the receiver fetches the rest."""
    return {key: record[key] for key in ("id", "organization_id", "event_type", "occurred_at")}
