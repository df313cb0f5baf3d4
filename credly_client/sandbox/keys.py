"""Who calls, and may they: authorization tokens, and access tokens of OAuth.

The caller holds the lock. All raise `Refusal` and then have changed nothing.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from http import HTTPStatus
from urllib.parse import unquote
from uuid import uuid4

from credly_client.sandbox.messages import (
    Call,
    Document,
    Refusal,
    Reply,
    invalid,
    not_found,
    read_moment,
    written,
)
from credly_client.sandbox.world import World

TOKEN_LIFE = timedelta(days=180)
ACCESS_LIFE = 7200
"""Seconds."""
SCOPES = (
    "authorization_tokens",
    "badge_templates",
    "events",
    "invitations",
    "issued_badges",
    "memberships",
    "recommendations",
    "workforce",
)
_NEEDS = {"GET": "read_enabled", "DELETE": "delete_enabled"}
_SCOPE_OF = {"badges": "issued_badges"}


def authorize(world: World, *, call: Call, organization_id: str) -> None:
    """401: no token that lives. 404: no such organization. 403: not this call."""
    key = _key(world, call=call)
    if organization_id not in world.organizations:
        raise not_found("Organization")
    if key["organization_id"] != organization_id:
        raise Refusal(HTTPStatus.FORBIDDEN, "Not allowed for this organization")
    _, _, resource = call.path.partition(f"{organization_id}/")
    kind = resource.partition("/")[0]
    if "scopes" in key and kind and _SCOPE_OF.get(kind, kind) not in key["scopes"]:
        raise Refusal(HTTPStatus.FORBIDDEN, "The scope of this access token does not suffice")
    if not key.get(_NEEDS.get(call.method, "write_enabled"), True):
        raise Refusal(HTTPStatus.FORBIDDEN, "This authorization token may not do that")


def _key(world: World, *, call: Call) -> Document:
    if call.bearer is not None:
        key = world.access_tokens.get(call.bearer)
    else:
        key = world.token_record(call.token)
    if key is None:
        raise Refusal(HTTPStatus.UNAUTHORIZED, "Invalid authorization token")
    ends = read_moment(key["expires_at"])
    if ends is not None and ends <= call.now:
        raise Refusal(HTTPStatus.UNAUTHORIZED, "The authorization token has expired")
    return key


def give_token(
    world: World, *, organization_id: str, token: str, now: datetime, expires_at: object = None
) -> None:
    """The organization has this token and no other. A known one keeps its age."""
    known = world.token_record(token)
    if known is not None and known["organization_id"] != organization_id:
        raise invalid({"token": "belongs to another organization"})
    if expires_at is not None and read_moment(expires_at) is None:
        raise invalid({"token_expires_at": "is not a date and time"})
    record = known or _new_token(organization_id, token=token, now=now)
    ends = read_moment(expires_at) if expires_at else None
    if ends is not None:
        record = record | {"expires_at": written(ends)}
    _forget_tokens(world, organization_id=organization_id)
    world.tokens[record["id"]] = record


def create_token(world: World, *, organization_id: str, call: Call) -> Document:
    record = _new_token(organization_id, token=secrets.token_urlsafe(24), now=call.now)
    for key in ("write_enabled", "read_enabled", "delete_enabled"):
        record[key] = bool(call.body.get(key, True))
    record["description"] = str(call.body.get("description") or "")
    world.tokens[record["id"]] = record
    world.touch()
    return record


def rotate_token(world: World, *, organization_id: str, call: Call) -> Document:
    """A new token; the one that asked, or all when it came by OAuth, dies at once."""
    record = _new_token(organization_id, token=secrets.token_urlsafe(24), now=call.now)
    asking = world.token_record(call.token)
    if asking is None:
        _forget_tokens(world, organization_id=organization_id)
    else:
        del world.tokens[asking["id"]]
    world.tokens[record["id"]] = record
    world.touch()
    return record


def expire_tokens(world: World, *, organization_id: str, call: Call) -> Document:
    """Every token of the organization has reached its end, OAuth's too."""
    for record in (*world.tokens.values(), *world.access_tokens.values()):
        if record["organization_id"] == organization_id:
            record["expires_at"] = written(call.now)
    world.touch()
    return {}


def _forget_tokens(world: World, *, organization_id: str) -> None:
    for record in list(world.tokens.values()):
        if record["organization_id"] == organization_id:
            del world.tokens[record["id"]]


def _new_token(organization_id: str, *, token: str, now: datetime) -> Document:
    return {
        "id": str(uuid4()),
        "organization_id": organization_id,
        "token": token,
        "description": "",
        "write_enabled": True,
        "read_enabled": True,
        "delete_enabled": True,
        "created_at": written(now),
        "expires_at": written(now + TOKEN_LIFE),
    }


# OAuth 2.0 client credentials


def access_token(world: World, *, call: Call, life: int = ACCESS_LIFE) -> Reply:
    """`life`: seconds. Client id and secret come by Basic authentication or in the form."""
    client_id = unquote(call.token or "") or str(call.body.get("client_id") or "")
    secret = unquote(call.password) or str(call.body.get("client_secret") or "")
    organization = next(
        (
            org
            for org in world.organizations.values()
            if client_id and org["client_id"] == client_id
        ),
        None,
    )
    if organization is None or not secret or organization["client_secret"] != secret:
        return _oauth_error(HTTPStatus.UNAUTHORIZED, "invalid_client")
    if call.body.get("grant_type") != "client_credentials":
        return _oauth_error(HTTPStatus.BAD_REQUEST, "unsupported_grant_type")
    scopes = str(call.body.get("scope") or "").split()
    if not set(scopes) <= set(SCOPES):
        return _oauth_error(HTTPStatus.BAD_REQUEST, "invalid_scope")
    value = secrets.token_urlsafe(24)
    world.access_tokens[value] = {
        "organization_id": organization["id"],
        "scopes": scopes,
        "expires_at": written(call.now + timedelta(seconds=life)),
    }
    return Reply(
        document={
            "access_token": value,
            "token_type": "Bearer",
            "expires_in": life,
            "scope": " ".join(scopes),
            "created_at": int(call.now.timestamp()),
        }
    )


def _oauth_error(status: int, error: str) -> Reply:
    return Reply(status=status, document={"error": error})
