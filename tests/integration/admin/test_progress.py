"""Badge progress: quick however long the list, and saying what is met by which event."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from badges.models import BadgeProgress, BadgeRequirement, Fulfillment, RequirementGroup
from credentials.models import BadgeTemplate, Learner, UserCredential
from tests.integration.admin.pages import PASSING

NOW = datetime(2026, 3, 1, 10, tzinfo=UTC)
LIST = "/admin/badges/badgeprogress/"
pytestmark = pytest.mark.django_db


def progress(template: BadgeTemplate, *, start: int, count: int) -> None:
    people = Learner.objects.bulk_create(
        Learner(lms_user_id=number, username=f"user{number}", profile_time=NOW)
        for number in range(start, start + count)
    )
    BadgeProgress.objects.bulk_create(
        BadgeProgress(learner=each, template=template) for each in people
    )


def queries(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


def test_the_list_costs_the_same_however_long_it_is(
    admin_client: Client, explorer: BadgeTemplate
) -> None:
    progress(explorer, start=1, count=10)
    few = queries(admin_client, LIST)
    progress(explorer, start=100, count=990)
    BadgeTemplate.objects.bulk_create(BadgeTemplate(name=f"T{n}") for n in range(60))

    assert queries(admin_client, LIST) == few
    assert few <= 6


def test_filters_and_search(admin_client: Client, explorer: BadgeTemplate) -> None:
    progress(explorer, start=1, count=3)
    other = BadgeTemplate.objects.create(name="Other")
    progress(other, start=10, count=1)
    BadgeProgress.objects.filter(template=other).update(complete=True, completed_at=NOW)

    def found(**parameters: str | int) -> int:
        count: int = admin_client.get(LIST, parameters).context["cl"].result_count
        return count

    assert found(template__id__exact=explorer.pk) == 3
    assert found(complete__exact=1) == 1
    assert found(q="user2") == 1
    assert found(q="10") == 1


def test_one_page_says_what_is_met(admin_client: Client, explorer: BadgeTemplate) -> None:
    progress(explorer, start=1, count=1)
    row = BadgeProgress.objects.get()
    BadgeRequirement.objects.create(
        template=explorer, key="passed-advanced", description="Pass D102", event_type=PASSING
    )
    Fulfillment.objects.create(
        progress=row,
        requirement=explorer.requirements.get(key="passed-intro"),
        key="passed-intro",
        event_id=UUID(int=7),
        event_time=NOW,
    )
    row.resets = {"passed-advanced": "2026-02-01T00:00:00+00:00"}
    row.save()

    page = admin_client.get(f"{LIST}{row.pk}/change/").content.decode()

    assert "1 of 2 met." in page
    assert str(UUID(int=7)) in page
    assert "Pass D102 (passed-advanced)" in page
    assert "Feb. 1, 2026" in page


def text(page: str) -> str:
    """Without tags, every gap one space."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", page)).split())


def test_one_page_says_how_much_is_counted(admin_client: Client, explorer: BadgeTemplate) -> None:
    progress(explorer, start=1, count=1)
    row = BadgeProgress.objects.get()
    explorer.requirements.update(group="A")
    intro = explorer.requirements.get()
    demanding = BadgeRequirement.objects.create(
        template=explorer,
        key="courses",
        event_type=PASSING,
        group="A",
        count=5,
        distinct_by="course.course_key",
        within="P30D",
    )
    last = BadgeRequirement.objects.create(
        template=explorer, key="last", event_type=PASSING, group="A"
    )
    last.after.add(demanding)
    RequirementGroup.objects.create(template=explorer, label="A", required=2)
    for number, requirement in enumerate([intro, *[demanding] * 4, last]):
        Fulfillment.objects.create(
            progress=row,
            requirement=requirement,
            key=requirement.key,
            event_id=UUID(int=number),
            event_time=NOW + timedelta(days=number),
            value=f"course-{number}" if requirement == demanding else "",
        )

    page = text(admin_client.get(f"{LIST}{row.pk}/change/").content.decode())

    assert "0 of 1 met." in page
    assert "Group A: 1 of 2 (any 2 of 3 requirements)" in page
    assert "passed-intro A 1 of 1 Yes, March 1, 2026" in page
    assert "different by course.course_key within P30D A 4 of 5 No" in page
    # The newest three, with the value that differs.
    assert [f"course-{number}" in page for number in range(1, 5)] == [False, True, True, True]
    assert "and 1 older" in page
    assert page.index("course-4") < page.index("course-3")
    # Its evidence does not count before its turn.
    assert "last after courses: not fulfilled yet, so nothing counts here A 0 of 1 No" in page


def test_what_former_rules_left_is_said(admin_client: Client, explorer: BadgeTemplate) -> None:
    progress(explorer, start=1, count=1)
    row = BadgeProgress.objects.get()
    pin = {"at": NOW.isoformat(), "event_id": str(UUID(int=7)), "version": 3}
    row.pins = {"passed-intro": pin}
    row.save()

    page = text(admin_client.get(f"{LIST}{row.pk}/change/").content.decode())

    assert "kept from former rules (version 3)" in page


def test_a_blocked_award_is_explained(admin_client: Client, explorer: BadgeTemplate) -> None:
    progress(explorer, start=1, count=1)
    BadgeProgress.objects.update(complete=True, completed_at=NOW)
    row = BadgeProgress.objects.get()
    UserCredential.objects.create(
        learner=row.learner,
        template=explorer,
        awarded_at=NOW,
        status="revoked",
        live=None,
        revoked_at=NOW,
    )

    page = admin_client.get(f"{LIST}{row.pk}/change/").content.decode()

    assert "never reissue" in page


def test_nobody_edits_progress(admin_client: Client, explorer: BadgeTemplate) -> None:
    progress(explorer, start=1, count=1)
    row = BadgeProgress.objects.get()

    assert admin_client.get(f"{LIST}add/").status_code == 403
    assert admin_client.post(f"{LIST}{row.pk}/change/", {"complete": "on"}).status_code == 403
    assert admin_client.post(f"{LIST}{row.pk}/delete/", {"post": "yes"}).status_code == 403
