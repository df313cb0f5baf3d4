"""Awarding and revoking credentials."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Final
from uuid import UUID, uuid4

import attrs

from credentials import bulk
from credentials.database import is_new
from credentials.identity import derived
from credentials.models import UserCredential

Status = UserCredential.Status
Origin = UserCredential.Origin
_WRITTEN: Final = (
    "status",
    "live",
    "revoked_at",
    "revoked_by_event",
    "revocation_origin",
    "revocation_reason",
)


@attrs.frozen
class Transition:
    """A learner completed a template, or lost the completion, at the time of an event."""

    learner_id: int
    template_id: int
    complete: bool
    reissue_allowed: bool
    at: datetime
    event_id: UUID | None
    rules_version: int | None = None
    reason: str = ""
    origin: Origin = Origin.PENALTY


class Verb(Enum):
    AWARDED = "awarded"
    REVOKED = "revoked"


class Verdict(Enum):
    """What a transition leads to."""

    AWARD = "award"
    REVOKE = "revoke"
    BLOCK = "block"  # revoked before, and the template allows no reissue
    NOTHING = "nothing"


@attrs.frozen
class Change:
    """One credential was awarded or revoked."""

    verb: Verb
    credential: UserCredential
    at: datetime


@attrs.frozen
class Applied:
    """What became of the transitions: the changes in order, and whose award is blocked because
    the badge was revoked before.
    """

    changes: tuple[Change, ...] = ()
    blocked: tuple[Transition, ...] = ()


def apply(transitions: Sequence[Transition]) -> Applied:
    """Award on complete, revoke on incomplete, in order.

    Whoever holds a live credential is not awarded another; a revoked one stays revoked unless the
    template allows reissue, then the new one points to the old. Requires a transaction; locks the
    credentials concerned. Five statements at most.
    """
    if not transitions:
        return Applied()
    newest = _newest(transitions)
    changes: list[Change] = []
    blocked: list[Transition] = []
    for each in transitions:
        pair = (each.learner_id, each.template_id)
        credential = newest.get(pair)
        verdict = judge(each, live=None if credential is None else bool(credential.live))
        if verdict is Verdict.BLOCK:
            blocked.append(each)
        elif verdict is Verdict.AWARD:
            newest[pair] = awarded = _award(each, former=credential)
            changes.append(Change(Verb.AWARDED, awarded, each.at))
        elif verdict is Verdict.REVOKE and credential is not None:
            revoke(
                credential,
                at=each.at,
                event_id=each.event_id,
                reason=each.reason,
                origin=each.origin,
            )
            changes.append(Change(Verb.REVOKED, credential, each.at))
    save(changes)
    return Applied(tuple(changes), tuple(blocked))


def judge(transition: Transition, *, live: bool | None) -> Verdict:
    """`live`: of the learner's newest credential of the template; None when there is none."""
    if transition.complete and not live:
        blocked = live is not None and not transition.reissue_allowed
        return Verdict.BLOCK if blocked else Verdict.AWARD
    return Verdict.REVOKE if live and not transition.complete else Verdict.NOTHING


def _award(transition: Transition, *, former: UserCredential | None) -> UserCredential:
    """See Note [A restored backup goes the same way again] in credentials.identity. The former
    credential is part of the id: one event can award twice, when staff revoked the badge meanwhile.
    """
    cause = (transition.template_id, transition.event_id, former and former.uuid)
    return UserCredential(
        uuid=uuid4() if transition.event_id is None else derived("credential", *cause),
        learner_id=transition.learner_id,
        template_id=transition.template_id,
        awarded_at=transition.at,
        awarded_by_event=transition.event_id,
        rules_version=transition.rules_version,
        replaces=former,
    )


def revoke(
    credential: UserCredential,
    *,
    at: datetime,
    event_id: UUID | None,
    reason: str,
    origin: Origin = Origin.PENALTY,
) -> None:
    """Change the object; `save` writes it."""
    credential.status = Status.REVOKED
    credential.live = None
    # What an event that came late tells of may be older than the award.
    credential.revoked_at = max(at, credential.awarded_at)
    credential.revoked_by_event = event_id
    credential.revocation_origin = origin
    credential.revocation_reason = reason


def _newest(transitions: Iterable[Transition]) -> dict[tuple[int, int], UserCredential]:
    """By learner and template. Not the whole history: it grows with every reissue."""
    found = bulk.select_objects(
        UserCredential,
        where=("learner_id", "template_id"),
        among=[(each.learner_id, each.template_id) for each in transitions],
        replaced_by="replaces_id",
        lock=True,
    )
    return {(each.learner_id, each.template_id): each for each in found}


def save(changes: Sequence[Change]) -> None:
    """Write the credentials of `changes`. Four statements at most, in an order that keeps "one
    live credential" true throughout: revoked ones first.
    """
    touched: Mapping[int, UserCredential] = {
        id(each.credential): each.credential for each in changes
    }
    known = [each for each in touched.values() if not is_new(each)]
    fresh = [each for each in touched.values() if is_new(each)]
    bulk.update_objects(known, _WRITTEN)
    # One that replaces another new one (earned, lost and earned again in one batch) gets that
    # one's key in a second pass.
    former_of = {
        id(each): each.replaces for each in fresh if each.replaces and is_new(each.replaces)
    }
    for each in fresh:
        if id(each) in former_of:
            each.replaces = None
    bulk.insert_objects(fresh, identity=("uuid",))
    chained = [each for each in fresh if id(each) in former_of]
    for each in chained:
        each.replaces = former_of[id(each)]
    bulk.update_objects(chained, ["replaces_id"])
