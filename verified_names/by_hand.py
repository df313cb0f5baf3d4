"""What people say of names: learners propose and choose, staff add and decide."""

from datetime import datetime
from typing import Final
from uuid import uuid4

from django.db import transaction

from credentials.models import Learner
from verified_names import drift
from verified_names.folding import Fact, Status
from verified_names.lifecycle import Recorded, record
from verified_names.models import VerifiedName, VerifiedNameConfig

LEARNER: Final = "learner"
STAFF: Final = "staff"


def choose(learner: Learner, *, use_verified_name: bool | None, now: datetime) -> None:
    """The learner wants the verified name, does not, or (None) takes the choice back. Opens a
    transaction.
    """
    with transaction.atomic():
        if use_verified_name is None:
            VerifiedNameConfig.objects.filter(learner=learner).delete()
        else:
            VerifiedNameConfig.objects.update_or_create(
                learner=learner,
                defaults={"use_verified_name": use_verified_name, "changed_at": now},
            )
        drift.mark([learner], now=now)


def propose(learner: Learner, *, name: str, now: datetime) -> Recorded:
    """By the learner: always pending. While the last proposal is pending, this one replaces it."""
    pending = VerifiedName.objects.filter(
        learner=learner, source=LEARNER, status=Status.PENDING
    ).first()
    fact = Fact(
        source=LEARNER,
        attempt=pending.attempt if pending else str(uuid4()),
        status=Status.PENDING,
        at=now,
        event_id=uuid4(),
        name=name,
        profile_name=learner.name,
    )
    return record([(learner.pk, fact)], now=now)


def add(learner: Learner, *, name: str, status: Status, by: str, now: datetime) -> Recorded:
    """By staff: a name that no other source vouches for."""
    fact = Fact(
        source=STAFF,
        attempt=str(uuid4()),
        status=status,
        at=now,
        event_id=uuid4(),
        name=name,
        profile_name=learner.name,
        by=by,
    )
    return record([(learner.pk, fact)], now=now)


def decide(row: VerifiedName, *, status: Status, by: str, now: datetime) -> Recorded:
    """By staff: the name has that status from now on, until its source says otherwise. Only the
    newest name of an attempt can be decided about.
    """
    fact = Fact(
        source=row.source,
        attempt=row.attempt,
        status=status,
        at=max(now, row.event_time),
        event_id=uuid4(),
        by=by,
    )
    return record([(row.learner_id, fact)], now=now)
