"""What happens to a badge. Each change is written into its history and makes an event.

The caller holds the lock. All raise `Refusal` and then have changed nothing.
"""

from __future__ import annotations

from http import HTTPStatus

from credly_client.sandbox import documents
from credly_client.sandbox.messages import Call, Document, Refusal, written
from credly_client.sandbox.world import World


def add(world: World, record: Document, *, call: Call) -> None:
    world.add_badge(record)
    _changed(world, record, event_type="badge.created", what="issued", call=call)


def put_in_place(world: World, record: Document, *, replaced: Document, call: Call) -> None:
    """`record` is new; `replaced` keeps its state and is held no longer."""
    record["replaces_badge_id"] = replaced["id"]
    replaced["replacement_badge_id"] = record["id"]
    replaced["updated_at"] = written(call.now)
    world.add_badge(record)
    world.note(replaced, what="replaced", now=call.now)
    _changed(world, record, event_type="badge.created", what="issued", call=call)


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
    return _changed(world, record, event_type="badge.privacy.changed", what=what, call=call)


def remind(world: World, record: Document, *, call: Call) -> Document:
    """Credly writes to the learner once more."""
    if record["state"] != "pending":
        raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, f"The badge is {record['state']}")
    return _changed(
        world, record, event_type="pending_badge_notification.sent", what="reminded", call=call
    )


def delete_badge(world: World, record: Document, *, call: Call) -> Document:
    record["deleted"] = True
    return _changed(world, record, event_type="badge.deleted", what="deleted", call=call)


def _set_state(world: World, record: Document, *, state: str, call: Call) -> Document:
    record["state"] = state
    record["state_updated_at"] = written(call.now)
    return _changed(world, record, event_type="badge.state.changed", what=state, call=call)


def _changed(world: World, record: Document, *, event_type: str, what: str, call: Call) -> Document:
    record["updated_at"] = written(call.now)
    world.note(record, what=what, now=call.now)
    world.record_event(
        event_type,
        organization_id=record["organization_id"],
        resource=documents.badge(record, world=world, url=call.url),
        now=call.now,
    )
    return record
