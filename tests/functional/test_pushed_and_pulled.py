"""A badge that needs both: an exam that the platform tells about, and a completion asked for."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django import Settings

from badges.editing import definitions_changed
from certificates import schedules, tasks
from certificates.models import CredentialType, EligibilitySchedule, ScheduleRun
from certificates.platform.sandbox import World, serve
from credentials.models import BadgeTemplate, OutboxEvent, UserCredential
from tests.functional.conftest import Service
from tests.functional.exam_stories import CK, PROCTORED, exam, proctored, requirement
from tests.functional.schedule_stories import counts

ANN = {"id": 11, "username": "ann", "email": "ann@example.com", "name": "Ann L"}
BOB = {"id": 12, "username": "bob", "email": "bob@example.com", "name": "Bob"}
DONE = {"username": "ann", "completion": 0.8}
BEGUN = {"username": "bob", "completion": 0.79}


@pytest.fixture
def asked(service: Service, settings: Settings) -> Iterator[EligibilitySchedule]:
    """Completion .8 of the course, asked of a platform, beside the verified exam."""
    course = {"id": CK, "name": "P1", "enrollments": [DONE, BEGUN]}
    world = World.from_document({"people": [ANN, BOB], "courses": [course]})
    settings.PLATFORM_API_CLIENT_ID = settings.PLATFORM_API_CLIENT_SECRET = "laurel"
    service.load(proctored(requirements=[requirement("verified")], penalties=[]))
    with serve(world) as running:
        settings.PLATFORM_API_BASE_URL = running.url
        kind = CredentialType.objects.create(
            name="Completed", retriever="completions", options={"required_completion": 0.8}
        )
        template = BadgeTemplate.objects.get(uuid=PROCTORED)
        made = EligibilitySchedule(type=kind, template=template, context_key=CK)
        with transaction.atomic():
            schedules.create(made)
            schedules.require(made)
            definitions_changed([template.pk], now=timezone.now())
        yield made


def standing(service: Service) -> tuple[int, bool]:
    badge: Any = service.badge("ann", PROCTORED)
    return badge["groups_met"], badge["complete"]


@pytest.mark.parametrize("pushed_first", [True, False])
def test_x_5_in_either_order_awarded_exactly_once(
    service: Service, asked: EligibilitySchedule, pushed_first: bool
) -> None:
    def push() -> None:
        service.publish([exam("verified", 3)])
        service.consume()

    def pull() -> None:
        tasks.run_schedule.apply(args=(asked.pk,))

    first, second = (push, pull) if pushed_first else (pull, push)
    first()
    assert standing(service) == (1, False)
    assert not UserCredential.objects.exists()
    second()
    assert standing(service) == (2, True)
    push()
    pull()

    assert [each.learner.username for each in UserCredential.objects.all()] == ["ann"]
    assert OutboxEvent.objects.filter(kind="awarded").count() == 1
    assert counts(ScheduleRun.objects.latest("id")) == (2, 1, 0, 1)


def test_x_5_who_would_get_it_is_told_beforehand(
    service: Service, asked: EligibilitySchedule
) -> None:
    from certificates import runs

    def would() -> list[str]:
        kind = ScheduleRun.Kind.REHEARSAL
        run = runs.request(asked, kind=kind, now=timezone.now(), queued=False)
        assert runs.work(run.pk, clock=timezone.now)
        return list(run.findings.values_list("username", flat=True))

    assert would() == []  # the exam is missing
    service.publish([exam("verified", 3)])
    service.consume()
    assert would() == ["ann"]
    assert not UserCredential.objects.exists()
