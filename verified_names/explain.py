"""Why a learner goes by a name: in words, for staff. Pure."""

from collections.abc import Sequence
from datetime import datetime

import attrs

from credentials.models import BadgeTemplate
from verified_names.folding import Name, Status, in_force
from verified_names.resolver import Known, choose


@attrs.frozen
class Answer:
    """What badges of one policy print. `name` is empty when they wait for one."""

    policy: str
    name: str
    source: str


def answers(known: Known, *, now: datetime) -> Sequence[Answer]:
    found = []
    for policy in BadgeTemplate.NamePolicy:
        resolved = choose(known, policy=policy, now=now)
        name, source = (resolved.name, resolved.source) if resolved else ("", "")
        if resolved is not None and not name:
            name, source = known.username, "username"
        found.append(Answer(str(policy.label), name, source))
    return found


def why(known: Known, *, now: datetime) -> str:
    """The sentence above everything."""
    name = in_force(known.approved, at=now)
    if name is None:
        return "No verified name is in force: none is approved, or those that are have expired."
    text = (
        f"“{name.name}” is in force: the newest approved name that has not expired, {said(name)}."
    )
    if known.choice is False:
        text += " The learner opted out: only badges that demand a verified name print it."
    return text


def standing(name: Name, known: Known, *, now: datetime) -> str:
    """Why this very name is in force, or is not."""
    newest = in_force(known.approved, at=now)
    if newest is not None and newest.identity == name.identity:
        return "in force"
    if name.status is not Status.APPROVED:
        return f"not in force: {name.status}"
    if name.valid_until is not None and name.valid_until <= now:
        return "not in force: expired"
    return "not in force: another was approved later"


def said(name: Name) -> str:
    return f"vouched for by {name.source} {name.attempt}"
