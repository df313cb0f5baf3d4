"""Deleting a badge template says what goes with it."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django_celery_beat.models import PeriodicTask

from certificates import schedules
from certificates.models import CertificateLayout, EligibilitySchedule
from credentials.models import BadgeTemplate
from tests.functional.schedule_stories import CK, schedule

pytestmark = pytest.mark.django_db
LIST = "/admin/credentials/badgetemplate/"


@pytest.fixture
def scheduled(explorer: BadgeTemplate) -> BadgeTemplate:
    schedule(explorer)
    CertificateLayout.objects.create(template=explorer)
    return explorer


def test_its_schedules_and_its_layout_are_named(
    admin_client: Client, scheduled: BadgeTemplate
) -> None:
    page = admin_client.get(f"{LIST}{scheduled.pk}/delete/")
    counts = dict(page.context["model_count"])
    assert (counts["schedules"], counts["certificate layouts"]) == (1, 1)
    assert f"Schedule: Course completed for {CK}" in page.content.decode()
    assert "Certificate layout: Layout of Data Explorer" in page.content.decode()

    many = {"action": "delete_selected", "_selected_action": scheduled.pk}
    assert f"for {CK}" in admin_client.post(LIST, many).content.decode()


def test_then_they_go_and_leave_nothing_behind(
    admin_client: Client, scheduled: BadgeTemplate
) -> None:
    admin_client.post(f"{LIST}{scheduled.pk}/delete/", {"post": "yes"})
    assert not BadgeTemplate.objects.exists()
    assert not EligibilitySchedule.objects.exists()
    schedules.delete_orphans()  # beat does, within seconds
    assert not PeriodicTask.objects.filter(task=schedules.TASK).exists()


def test_what_there_is_nothing_of_is_not_counted(
    admin_client: Client, explorer: BadgeTemplate
) -> None:
    page = admin_client.get(f"{LIST}{explorer.pk}/delete/")
    assert dict(page.context["model_count"]) == {
        "badge templates": 1,
        "badge requirements": 1,
        "badge penalties": 1,
    }


def test_many_schedules_are_not_all_named(admin_client: Client, explorer: BadgeTemplate) -> None:
    for number in range(25):
        schedule(explorer, context=f"course-v1:edX+P{number}+2024")
    page = admin_client.get(f"{LIST}{explorer.pk}/delete/").content.decode()
    assert page.count("Schedule: ") == 20
    assert "and more schedules" in page


def test_who_may_delete_no_schedules_deletes_no_template_that_has_one(
    client: Client, scheduled: BadgeTemplate
) -> None:
    bob = User.objects.create_user("bob", is_staff=True)
    names = ["view_badgetemplate", "delete_badgetemplate", "delete_certificatelayout"]
    bob.user_permissions.set(Permission.objects.filter(codename__in=names))
    client.force_login(bob)
    page = client.get(f"{LIST}{scheduled.pk}/delete/")
    assert page.context["perms_lacking"] == {"schedule"}
    assert client.post(f"{LIST}{scheduled.pk}/delete/", {"post": "yes"}).status_code == 403
    assert EligibilitySchedule.objects.exists()
