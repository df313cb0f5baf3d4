"""A badge, a schedule for it and what a run came to, for the stories about schedules."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction

from badges.editing import definitions_changed
from certificates import runs, schedules
from certificates.models import CredentialType, EligibilitySchedule, ScheduleRun
from credentials.models import BadgeTemplate, UserCredential

CK = "course-v1:edX+P1+2024"
NOW = datetime(2026, 3, 1, 10, tzinfo=UTC)
ANN, BOB, CID = 11, 12, 13


def badge(name: str = "Completed", **more: Any) -> BadgeTemplate:
    return BadgeTemplate.objects.create(name=name, **more)


def kind(**options: Any) -> CredentialType:
    found, _ = CredentialType.objects.get_or_create(
        name="Course completed", defaults={"retriever": "oracle", "options": options}
    )
    return found


def schedule(
    template: BadgeTemplate | None = None, *, context: str = CK, **more: Any
) -> EligibilitySchedule:
    """With its requirement, on an active template."""
    made = schedules.create(
        EligibilitySchedule(
            type=more.pop("type", None) or kind(),
            template=template or badge(),
            context_key=context,
            **more,
        )
    )
    schedules.require(made)
    activate(made.template)
    return made


def activate(template: BadgeTemplate) -> None:
    with transaction.atomic():
        BadgeTemplate.objects.filter(pk=template.pk).update(is_active=True)
        definitions_changed([template.pk], now=NOW)


def clock(at: datetime = NOW) -> Any:
    """A clock that goes on by a millisecond whenever somebody looks."""
    ticks = iter(range(1_000_000))
    return lambda: at + timedelta(milliseconds=next(ticks))


def run(
    asked: EligibilitySchedule, *, kind: ScheduleRun.Kind = ScheduleRun.Kind.RUN, at: datetime = NOW
) -> ScheduleRun:
    made = runs.request(asked, kind=kind, now=at, queued=False)
    assert runs.work(made.pk, clock=clock(at))
    return ScheduleRun.objects.get(pk=made.pk)


def counts(done: ScheduleRun) -> tuple[int, int, int, int]:
    """Evaluated, eligible, awarded, skipped."""
    return done.evaluated, done.eligible, done.awarded, done.skipped


def holders(template: BadgeTemplate) -> list[int | None]:
    rows = UserCredential.objects.filter(template=template, live=True)
    return sorted(rows.values_list("learner__lms_user_id", flat=True), key=str)
