"""A rule asks for events that the platform publishes on a topic nobody reads: nothing fails, and
nothing happens. Whoever looks at the badge is told.
"""

from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from openedx_events.learning.data import UserData, UserPersonalData
from openedx_events.learning.signals import STUDENT_REGISTRATION_COMPLETED
from pytest_django import DjangoAssertNumQueries, Settings

from credentials.models import BadgeTemplate
from events import arrivals
from events.eligibility import EVENT_TYPE as ELIGIBILITY
from events.models import EventArrival
from tests.functional.conftest import Service
from tests.functional.exam_stories import idv, idv_type
from tests.functional.stories import PASSING, explorer, passes

APPROVED = idv_type("approved")
WARNING = "No event of these types has ever arrived here"


@pytest.fixture
def verified(service: Service) -> Service:
    requirement = {"id": "verified", "event_type": APPROVED, "rules": []}
    course, _ = explorer()["templates"][0]["requirements"]
    service.load(explorer(requirements=[course, requirement], penalties=[], providers=[]))
    return service


def page(client: Client) -> str:
    answer = client.get(
        f"/admin/credentials/badgetemplate/{BadgeTemplate.objects.get().pk}/change/"
    )
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_on_a_topic_that_nobody_reads(
    verified: Service, admin_client: Client, settings: Settings
) -> None:
    settings.EVENT_BUS_TOPICS = ["learning-and-more"]
    verified.publish([passes("ann", 1, minute=1)])
    identities = Service(topic=f"test-{uuid4()}", folder=verified.folder)
    identities.publish([idv("approved", 1, "Ann Lee", 2)])
    assert verified.consume(topics=[]) == 0
    told = page(admin_client)
    assert WARNING in told
    assert f"IDV attempt approved ({APPROVED})" in told
    assert f"{WARNING}: Course" not in told  # those do arrive
    assert "now learning-and-more" in told

    assert verified.consume(topics=[identities.topic]) == 0
    assert WARNING not in page(admin_client)


def test_what_our_own_schedules_ask_arrives_in_another_way(transactional_db: None) -> None:
    assert arrivals.never_arrived([APPROVED, ELIGIBILITY]) == [APPROVED]


def test_an_event_of_this_process_arrives_too(transactional_db: None) -> None:
    """As those of another bus's consumer."""
    user = UserData(
        id=11, is_active=True, pii=UserPersonalData(username="ann", email="", name="Ann Lee")
    )
    STUDENT_REGISTRATION_COMPLETED.send_event(user=user)
    assert arrivals.never_arrived([STUDENT_REGISTRATION_COMPLETED.event_type]) == []


def test_it_costs_a_statement_once(
    verified: Service, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    verified.publish([passes("ann", n, minute=n) for n in (1, 2, 3)])
    verified.consume(batch_size=1)
    arrived = EventArrival.objects.get()
    assert arrived.event_type == PASSING
    with django_assert_num_queries(0):
        arrivals.note([PASSING], now=timezone.now())
    arrivals.forget()  # another process
    arrivals.note([PASSING, APPROVED], now=timezone.now())
    assert EventArrival.objects.count() == 2
    assert EventArrival.objects.get(pk=PASSING).first_at == arrived.first_at
