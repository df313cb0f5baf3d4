"""The one answer to "which name do we print": the setting NAME_RESOLVER leads here."""

from collections.abc import Collection, Mapping
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


def resolve_name(
    learner: Learner, *, policy: str, now: datetime, or_username: bool = True
) -> ResolvedName | None:
    """The name to print for `learner`; None when `policy` demands a verified one and there is
    none. `or_username`: better the username than no name at all. At most two queries.
    """
    found = choose(known_of([learner])[learner.pk], policy=policy, now=now)
    if found is not None and not found.name and or_username:
        return ResolvedName(learner.username, USERNAME)
    return found


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
