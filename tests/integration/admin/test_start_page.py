"""The start page says what needs attention, to those who may look after it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from certificates.models import CertificateMail, EligibilitySchedule, ScheduleRun
from consumer.models import ConsumerStatus
from credentials.models import (
    BadgeTemplate,
    CredlyOrganization,
    CredlyWebhook,
    Difference,
    Issuance,
    Learner,
    OutboxEvent,
    UserCredential,
)
from events.models import InboxEvent
from service_signals.models import HandlerFailure
from staff.groups import AUDITOR, BADGE_ADMIN, SUPPORT
from tests.functional.schedule_stories import schedule

pytestmark = pytest.mark.django_db
THEN = datetime(2026, 3, 1, tzinfo=UTC)


def attention(client: Client) -> dict[str, str]:
    """The lines in their order, with where they lead."""
    return {line.text: line.url for line in client.get("/admin/").context["attention"]}


def as_one_of(group: str, client: Client) -> Client:
    made = User.objects.create_user(group, is_staff=True)
    made.groups.set(Group.objects.filter(name=group))
    client.force_login(made)
    return client


@pytest.fixture
def trouble(one_of_each: None) -> None:
    """Of everything that can need attention."""
    CredlyOrganization.objects.update(
        paused_reason="Credly answered 401", api_key_set_at=timezone.now() - timedelta(days=161)
    )
    failing = CredlyOrganization.objects.create(uuid=uuid4(), name="Globex", breaker_until=THEN)
    CredlyOrganization.objects.create(uuid=uuid4(), name="Hooli", issuing_paused_at=THEN)
    inbox_event()
    inbox_event()
    Issuance.objects.filter(provider="pdf").update(name_drift=True)
    OutboxEvent.objects.update(set_aside_until=THEN)
    CredlyWebhook.objects.update(state="dead")
    failed_run()
    Difference.objects.create(
        organization=failing, run=Difference.objects.get().run, kind="other_email"
    )


def inbox_event(state: str = "dead") -> None:
    InboxEvent.objects.create(event_id=uuid4(), state=state, received_at=THEN)


def failed_run(**more: Any) -> ScheduleRun:
    when = {"requested_at": timezone.now(), **more}
    made = EligibilitySchedule.objects.get()
    return ScheduleRun.objects.create(schedule=made, state="failed", **when)


@pytest.mark.usefixtures("trouble")
def test_every_line_leads_to_the_rows_it_speaks_of(admin_client: Client) -> None:
    shown = {}
    for text, url in attention(admin_client).items():
        page = admin_client.get(url)
        assert page.status_code == 200
        shown[text] = page.context["cl"].result_count
    assert list(shown.items()) == [
        ("No consumer is alive: events wait on the bus, and may be trimmed there", 1),
        ("Credly refuses the key of Acme Academy", 1),
        ("2 messages from the bus were given up", 2),
        ("Issuing 1 badge was given up", 1),
        ("1 public event cannot be built", 1),
        ("1 call by Credly was given up", 1),
        ("1 handler failed, and nobody has replayed or dismissed it", 1),
        ("1 run of a schedule failed, and no later one worked", 1),
        ("1 mail to a learner was given up", 1),
        ("The key ends, first in 18 days, of Acme Academy", 1),
        ("Credly fails for Globex", 1),
        ("Somebody paused issuing for Hooli", 1),
        ("1 badge is not at Credly as it is here", 1),
        ("1 badge was issued in a name that is no more in force", 1),
    ]


def test_when_all_is_well_it_says_so(admin_client: Client) -> None:
    now = timezone.now()
    ConsumerStatus.objects.create(group="laurel", name="c1", started_at=now, seen_at=now)
    assert attention(admin_client) == {}
    assert "Nothing, of what you may see." in admin_client.get("/admin/").content.decode()


def test_consumers(admin_client: Client) -> None:
    assert list(attention(admin_client)) == ["No consumer has ever run here: events are not read"]
    now = timezone.now()
    late = {"lag_seconds": 250.0, "lag_messages": 3}
    ConsumerStatus.objects.create(group="laurel", name="c1", started_at=now, seen_at=now, **late)
    ConsumerStatus.objects.create(group="laurel", name="c2", started_at=THEN, seen_at=THEN)
    ConsumerStatus.objects.create(
        group="laurel", name="c3", started_at=THEN, seen_at=THEN, left_at=THEN
    )
    assert list(attention(admin_client)) == [
        "1 of 3 consumers gives no sign of life",
        "The oldest message on the bus waits for 4 min 10 s",
    ]


def test_many_organizations_are_not_all_named(admin_client: Client) -> None:
    for name in "ABCDE":
        CredlyOrganization.objects.create(uuid=uuid4(), name=name, paused_reason="401")
    assert "Credly refuses the key of A, B, C and 2 others" in attention(admin_client)


def test_a_run_that_failed_is_forgotten_once_one_worked(
    admin_client: Client, explorer: BadgeTemplate
) -> None:
    made = schedule(explorer)
    failed_run(requested_at=timezone.now() - timedelta(days=8))
    assert "failed" not in str(attention(admin_client))
    failed_run()
    assert "1 run of a schedule failed" in str(attention(admin_client))
    ScheduleRun.objects.create(schedule=made, state="done", requested_at=timezone.now())
    assert "failed" not in str(attention(admin_client))


@pytest.mark.usefixtures("trouble")
def test_each_group_hears_of_what_it_may_see(client: Client) -> None:
    badge_admin = attention(as_one_of(BADGE_ADMIN, client))
    support = attention(as_one_of(SUPPORT, client))
    auditor = attention(as_one_of(AUDITOR, client))
    assert len(badge_admin) == len(auditor) == 14
    assert {text.partition(" ")[2] for text in support} == {
        "consumer is alive: events wait on the bus, and may be trimmed there",
        "1 badge was given up",
        "public event cannot be built",
        "mail to a learner was given up",
        "badge was issued in a name that is no more in force",
    }


@pytest.mark.usefixtures("trouble")
def test_an_instructor_hears_of_the_own_courses(client: Client) -> None:
    client.force_login(User.objects.get(username="ines"))
    assert list(attention(client)) == ["1 run of a schedule failed, and no later one worked"]
    assert [each.title for each in client.get("/admin/").context["tasks"]] == ["Run a schedule"]
    User.objects.get(username="ines").instructed_courses.update(course_key="course-v1:a+b+c")
    assert attention(client) == {}


@pytest.mark.usefixtures("trouble")
def test_tasks_are_those_one_may_do(client: Client) -> None:
    titles = {
        group: [each.title for each in as_one_of(group, client).get("/admin/").context["tasks"]]
        for group in (BADGE_ADMIN, SUPPORT, AUDITOR)
    }
    assert titles == {
        BADGE_ADMIN: [
            "Make a badge template",
            "Fetch templates from Credly",
            "Award or revoke by hand",
            "Find out why",
            "Make a schedule",
            "Run a schedule",
            "Lay out a certificate",
        ],
        SUPPORT: ["Award or revoke by hand", "Find out why"],
        AUDITOR: ["Find out why"],
    }


@pytest.mark.usefixtures("one_of_each")
def test_every_task_opens(admin_client: Client) -> None:
    tasks = admin_client.get("/admin/").context["tasks"]
    assert len(tasks) == 9
    for each in tasks:
        assert admin_client.get(each.url).status_code == 200, each.title


@pytest.mark.usefixtures("trouble")
def test_the_number_of_queries_is_the_same_however_much_there_is(
    admin_client: Client, explorer: BadgeTemplate
) -> None:
    admin_client.get("/admin/")
    with CaptureQueriesContext(
        connection,
    ) as few:
        admin_client.get("/admin/")
    for number in range(5):
        inbox_event()
        failed_run()
        CredlyOrganization.objects.create(
            uuid=uuid4(), name=str(number), paused_reason="401", breaker_until=THEN
        )
        learner = Learner.objects.create(lms_user_id=100 + number, profile_time=THEN)
        credential = UserCredential.objects.create(
            learner=learner, template=explorer, awarded_at=THEN
        )
        Issuance.objects.create(credential=credential, provider="credly", state="dead")
    with CaptureQueriesContext(connection) as many:
        admin_client.get("/admin/")
    assert len(many) == len(few) < 25


@pytest.mark.usefixtures("trouble")
@pytest.mark.parametrize(
    ("model", "where", "index"),
    [
        (InboxEvent, {"state": "dead"}, "inbox_state"),
        (Issuance, {"state": "dead"}, "issuance_dead"),
        (Issuance, {"name_drift": True}, "issuance_drift"),
        (CredlyWebhook, {"state": "dead"}, "webhook_dead"),
        (OutboxEvent, {"published_at": None}, "outbox_unpublished"),
        (HandlerFailure, {"state": "open"}, "handler_failure_state"),
        (CertificateMail, {"state": "dead"}, "certificate_mail_dead"),
        (Difference, {"outcome": "", "kind__in": ["other_state"]}, "difference_open"),
        (ScheduleRun, {"state": "failed", "requested_at__gte": THEN}, "schedule_run_failed"),
    ],
)
def test_each_count_has_an_index(model: type[Model], where: dict[str, Any], index: str) -> None:
    """Small tables are scanned by PostgreSQL and MariaDB whatever indexes there are: there it is
    only asked that the index exists.
    """
    with connection.cursor() as cursor:
        names = connection.introspection.get_constraints(cursor, model._meta.db_table)
    assert index in names
    if connection.vendor == "sqlite":
        plan = model._default_manager.filter(**where).order_by()[:1001].explain()
        assert index in plan


def test_the_menu_marks_the_page_that_is_open_and_no_other(admin_client: Client) -> None:
    for url, title in (
        ("/admin/", "Start"),
        ("/admin/badges/badgeprogress/", "Badge progress"),
        ("/admin/badges/badgeprogress/by_hand/", "Award or revoke"),
    ):
        sections = admin_client.get(url).context["sidebar_navigation"]
        marked = [each["title"] for part in sections for each in part["items"] if each["active"]]
        assert marked == [title]
