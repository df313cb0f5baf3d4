"""Finding the learner of an event, and keeping the profile current."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

import attrs
from django.db.models import Q

from credentials.database import in_chunks, is_new
from credentials.models import Learner

_PROFILE: Final = ("username", "email", "name")
_CHANGING: Final = (
    "lms_user_id",
    "sole_username",
    "username",
    "email",
    "name",
    "is_active",
    "profile_time",
)
_MAX_LENGTH: Final = 255


@attrs.frozen
class LearnerFacts:
    """What one event says of its learner. `lms_user_id` or `username` is there."""

    lms_user_id: int | None
    username: str
    email: str
    name: str
    is_active: bool
    as_of: datetime


def upsert(facts: Sequence[LearnerFacts]) -> list[int]:
    """Find or create the learner of each of `facts`, applied in their order.

    Requires a transaction; locks the rows found, in the order of their keys, so that two
    consumers never work on one learner at once. Returns the key of the learner's row for each of
    `facts`. A learner is found by LMS user id, by username only when there is no id. A learner
    known by username only takes the first id that comes with that username. Four statements.
    """
    if not facts:
        return []
    roll = _Roll(_load(facts))
    learners = [roll.apply(each) for each in facts]
    known = sorted((each for each in roll.changed if not is_new(each)), key=lambda each: each.pk)
    if known:
        Learner.objects.bulk_create(
            known, update_conflicts=True, unique_fields=["id"], update_fields=_CHANGING
        )
    fresh = list({id(each): each for each in learners if is_new(each)}.values())
    if fresh:
        _create(fresh)
    return [each.pk for each in learners]


def _create(fresh: list[Learner]) -> None:
    """Insert, and read the keys back: another consumer may be creating the same people."""
    fresh.sort(key=lambda each: (each.lms_user_id or 0, each.username))
    Learner.objects.bulk_create(fresh, ignore_conflicts=True)
    by_identity: dict[int | str | None, int] = {}
    for chunk in in_chunks(fresh):
        for pk, lms_user_id, sole_username in Learner.objects.filter(
            Q(lms_user_id__in=[each.lms_user_id for each in chunk if each.lms_user_id is not None])
            | Q(sole_username__in=[each.sole_username for each in chunk if each.sole_username])
        ).values_list("pk", "lms_user_id", "sole_username"):
            by_identity[sole_username if lms_user_id is None else lms_user_id] = pk
    for each in fresh:
        each.pk = by_identity[each.sole_username if each.lms_user_id is None else each.lms_user_id]


def _load(facts: Iterable[LearnerFacts]) -> list[Learner]:
    """Everybody who could be one of `facts`, locked."""
    lms_ids: set[int] = set()
    named: set[str] = set()
    nameless: set[str] = set()
    for each in facts:
        if each.lms_user_id is None:
            named.add(each.username)
        else:
            lms_ids.add(each.lms_user_id)
            if each.username:
                nameless.add(each.username)
    condition = Q(lms_user_id__in=lms_ids) | Q(sole_username__in=nameless)
    if named:
        condition |= Q(username__in=named)
    return list(Learner.objects.select_for_update().filter(condition).order_by("pk"))


class _Roll:
    """The learners of one batch in memory."""

    def __init__(self, learners: Iterable[Learner]) -> None:
        self._by_id: dict[int, Learner] = {}
        self._by_name: dict[str, Learner] = {}  # the newest of that username
        self._sole: dict[str, Learner] = {}
        self._changed: dict[int, Learner] = {}
        self._everybody: dict[int, Learner] = {}  # by identity of the object
        for learner in learners:
            self._enter(learner)

    @property
    def changed(self) -> Iterable[Learner]:
        return self._changed.values()

    def apply(self, facts: LearnerFacts) -> Learner:
        learner = self._find(facts)
        if learner is None:
            learner = Learner(
                lms_user_id=facts.lms_user_id,
                sole_username=facts.username if facts.lms_user_id is None else None,
                username=facts.username[:_MAX_LENGTH],
                email=facts.email[:_MAX_LENGTH],
                name=facts.name[:_MAX_LENGTH],
                is_active=facts.is_active,
                profile_time=facts.as_of,
            )
        else:
            former = learner.username
            if _refresh(learner, facts):
                self._changed[id(learner)] = learner
            if former != learner.username:
                self._rename(learner, former)
        self._enter(learner)
        return learner

    def _rename(self, learner: Learner, former: str) -> None:
        """`former` leads to this learner no more, but perhaps to somebody else."""
        if self._by_name.get(former) is learner:
            del self._by_name[former]
        for other in self._everybody.values():
            if other.username == former:
                self._enter(other)

    def _find(self, facts: LearnerFacts) -> Learner | None:
        if facts.lms_user_id is None:
            return self._by_name.get(facts.username)
        known = self._by_id.get(facts.lms_user_id)
        if known is not None:
            return known
        adopted = self._sole.pop(facts.username, None)
        if adopted is not None:
            adopted.lms_user_id = facts.lms_user_id
            adopted.sole_username = None
            self._changed[id(adopted)] = adopted
        return adopted

    def _enter(self, learner: Learner) -> None:
        self._everybody[id(learner)] = learner
        if learner.lms_user_id is not None:
            self._by_id[learner.lms_user_id] = learner
        if learner.sole_username is not None:
            self._sole[learner.sole_username] = learner
        if learner.username:
            other = self._by_name.get(learner.username)
            if other is None or learner.profile_time >= other.profile_time:
                self._by_name[learner.username] = learner


def _refresh(learner: Learner, facts: LearnerFacts) -> bool:
    """Take over what is newer; blanks never overwrite, an older event only fills blanks."""
    newer = facts.as_of >= learner.profile_time
    changed = facts.as_of > learner.profile_time
    for field in _PROFILE:
        value = getattr(facts, field)[:_MAX_LENGTH]
        if field == "username" and learner.lms_user_id is None:
            continue  # it is the identity
        known = getattr(learner, field)
        if value and value != known and (newer or not known):
            setattr(learner, field, value)
            changed = True
    if newer:
        changed = changed or learner.is_active != facts.is_active
        learner.is_active = facts.is_active
        learner.profile_time = facts.as_of
    return changed
