"""Handlers of service signals, named in the setting SERVICE_SIGNALS."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.utils import timezone

from credentials import learners
from credentials.learners import LearnerFacts
from credentials.models import DefinitionsVersion
from verified_names.lifecycle import record
from verified_names.translation import of_proctoring

_UNDATED = datetime(1970, 1, 1, tzinfo=UTC)  # older than any event, so it only fills blanks


def on_proctoring_attempt(
    _sender: str,
    *,
    attempt_id: int,
    user_id: int,
    status: str,
    full_name: str | None,
    profile_name: str | None,
    is_practice_exam: bool,
    is_proctored: bool,
    backend_supports_onboarding: bool,
    **_kwargs: Any,
) -> None:
    """The older exams backend carries neither an id nor a time of its news: what is told later is
    the later.
    """
    now = timezone.now()
    fact = of_proctoring(
        attempt_id,
        status=status,
        full_name=full_name,
        profile_name=profile_name,
        is_practice_exam=is_practice_exam,
        is_proctored=is_proctored,
        backend_supports_onboarding=backend_supports_onboarding,
        at=now,
        event_id=uuid4(),
    )
    if fact is None:
        return
    student = LearnerFacts(
        lms_user_id=user_id,
        username="",
        email="",
        name=fact.profile_name,
        is_active=True,
        as_of=_UNDATED,
    )
    with transaction.atomic():
        DefinitionsVersion.lock_for_reading()  # before all other locks: see its note
        (learner_id,) = learners.upsert([student], now=now)
        record([(learner_id, fact)], now=now)
