"""The one answer to "which name do we print": the setting NAME_RESOLVER leads here."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final

import attrs

from credentials.database import in_chunks
from credentials.models import BadgeTemplate, Learner
from credentials.names import ResolvedName
from verified_names.folding import Name, Status, in_force
from verified_names.models import VerifiedName, VerifiedNameConfig

Policy = BadgeTemplate.NamePolicy
VERIFIED: Final = "verified"
PROFILE: Final = "profile"
USERNAME: Final = "username"


@attrs.frozen
class Known:
    """What decides about one learner's name. `choice`: None when the learner chose nothing."""

    profile: str
    username: str
    approved: tuple[Name, ...] = ()
    choice: bool | None = None


def resolve_names(
    asked: Sequence[tuple[Learner, str]], *, now: datetime
) -> Sequence[ResolvedName | None]:
    """The name to print for each learner under a policy; None when it demands a verified one and
    there is none. Better the username than no name at all. Two queries.
    """
    known = known_of([learner for learner, _ in asked])
    return [
        _or_username(choose(known[learner.pk], policy=policy, now=now), learner)
        for learner, policy in asked
    ]


def resolve_name(learner: Learner, *, policy: str, now: datetime) -> ResolvedName | None:
    """Of one."""
    (found,) = resolve_names([(learner, policy)], now=now)
    return found


def _or_username(found: ResolvedName | None, learner: Learner) -> ResolvedName | None:
    if found is None or found.name:
        return found
    return ResolvedName(learner.username, USERNAME)


def choose(known: Known, *, policy: str, now: datetime) -> ResolvedName | None:
    """Pure."""
    verified = in_force(known.approved, at=now) if _wants_verified(policy, known.choice) else None
    if verified is not None:
        return ResolvedName(verified.name, VERIFIED)
    if policy == Policy.VERIFIED_REQUIRED:
        return None
    return ResolvedName(known.profile, PROFILE if known.profile else "")


def _wants_verified(policy: str, choice: bool | None) -> bool:
    if policy == Policy.VERIFIED_REQUIRED:
        return True
    if policy == Policy.PREFERRED:
        return choice is True
    return policy == Policy.VERIFIED_IF_AVAILABLE and choice is not False


def known_of(learners: Collection[Learner]) -> Mapping[int, Known]:
    """By key of the learner. Two queries."""
    approved: dict[int, list[Name]] = {each.pk: [] for each in learners}
    choices: dict[int, bool] = {}
    for chunk in in_chunks(list(approved)):
        rows = VerifiedName.objects.filter(learner_id__in=chunk, status=Status.APPROVED)
        for row in rows:
            approved[row.learner_id].append(row.name)
        made = VerifiedNameConfig.objects.filter(learner_id__in=chunk)
        choices.update(made.values_list("learner_id", "use_verified_name"))
    return {
        each.pk: Known(
            profile=each.name.strip(),
            username=each.username,
            approved=tuple(approved[each.pk]),
            choice=choices.get(each.pk),
        )
        for each in learners
    }
