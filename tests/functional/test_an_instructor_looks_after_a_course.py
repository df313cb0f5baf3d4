"""Schedules in the admin: what does not fit is refused, and everybody reaches the own ones only."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django_celery_beat.models import PeriodicTask

from certificates import schedules
from certificates.models import CourseInstructor, CredentialType, EligibilitySchedule, ScheduleRun
from tests.functional.schedule_stories import CK, badge, schedule
from tests.integration.admin.pages import all_errors, send

pytestmark = pytest.mark.django_db
PAGES = "/admin/certificates/eligibilityschedule/"
OTHER = "course-v1:edX+P2+2024"


@pytest.fixture
def prof(client: Client) -> Client:
    """Instructor of the course CK, and of nothing else."""
    user = User.objects.create_user("prof", is_staff=True)
    CourseInstructor.objects.create(user=user, course_key=CK)
    client.force_login(user)
    return client


def asks(retriever: str, context: str = CK) -> EligibilitySchedule:
    kind, _ = CredentialType.objects.get_or_create(name=retriever, retriever=retriever)
    return schedule(badge(f"{retriever} {context}"), type=kind, context=context)


def is_on(made: EligibilitySchedule) -> bool:
    return bool(PeriodicTask.objects.get(pk=made.periodic_task_id).enabled)


def test_lc_14_403_for_the_schedule_of_another_course(prof: Client) -> None:
    own, foreign = asks("completions"), asks("completions", OTHER)
    listed = prof.get(PAGES).content.decode()
    assert (CK in listed, OTHER in listed) == (True, False)

    changes = {"enabled": "on", "option__required_completion": "0.5"}
    assert send(prof, f"{PAGES}{own.pk}/change/", changes).status_code == 302
    own.refresh_from_db()
    assert (own.options, is_on(own)) == ({"required_completion": 0.5}, True)

    for way in ("change", "delete", "history"):
        assert prof.get(f"{PAGES}{foreign.pk}/{way}/").status_code == 403
    assert prof.post(f"{PAGES}{foreign.pk}/change/", changes).status_code == 403
    assert prof.post(f"{PAGES}{foreign.pk}/do/run_now/").status_code == 403
    foreign.refresh_from_db()
    assert (foreign.options, is_on(foreign)) == ({}, False)
    assert not ScheduleRun.objects.exists()


@pytest.mark.parametrize(
    ("retriever", "entered", "error"),
    [
        ("completions", {"required_completion": "1.5"}, "must be at most 1"),
        ("completions", {"required_completion": "x"}, "Must be a number"),
        ("grades", {"required_grades": "total = 80"}, "total: must be at most 1"),
        ("grades", {"required_grades": "total"}, "Must be an object"),
        ("grades", {"required_grades": ""}, "Is missing"),
    ],
)
def test_lc_7_options_have_an_error_for_each_field(
    admin_client: Client, retriever: str, entered: dict[str, str], error: str
) -> None:
    kind = CredentialType.objects.create(name="Kind", retriever=retriever)
    sound = {"template": badge().pk, "context_key": CK}
    options = {f"option__{name}": value for name, value in entered.items()}
    page = send(admin_client, f"{PAGES}add/?type={kind.pk}", {**sound, **options})
    ((field, (message, *_)),) = all_errors(page).items()
    assert field in options
    assert error.lower() in message.lower()
    assert not PeriodicTask.objects.filter(task=schedules.TASK).exists()


def test_lc_7_a_key_that_nobody_knows(admin_client: Client) -> None:
    """Of the type, from a time when its retriever knew it: said at the form, as no field has it."""
    kind = CredentialType.objects.create(
        name="Kind", retriever="completions", options={"required_complexion": 0.5}
    )
    entered = {"template": badge().pk, "context_key": CK}
    page = send(admin_client, f"{PAGES}add/?type={kind.pk}", entered)
    (message,) = all_errors(page)["__all__"]
    assert message.startswith("required_complexion: is not known here, known: required_completion")
