"""Several consumers and the same people, at the same moment. Not collected on SQLite, like
test_claims_race.py.
"""

import random
import threading
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

import pytest
from django.db import connections, transaction

from badges import editing
from badges.models import BadgeRequirement
from consumer import batch
from consumer.tally import Report
from credentials import learners
from credentials.database import with_retries
from credentials.learners import LearnerFacts
from credentials.models import BadgeTemplate, Issuance, Learner, UserCredential
from events.event import Event
from events.inbox import summary
from events.pipeline import process_batch
from events.wire import decode
from tests.functional.stories import PASSING, course, passes
from tests.integration.claims import NOW, message_of, number_passes
from tests.integration.test_claims_race import wait_until_blocked

CONSUMERS = 3
BATCHES = 5
PEOPLE = 40


@pytest.mark.django_db(transaction=True)
def test_consumers_race_on_the_same_people_and_every_event_counts() -> None:
    template = BadgeTemplate.objects.create(name="Passed", providers=["credly"], is_active=True)
    BadgeRequirement.objects.create(template=template, key="passed", event_type=PASSING)
    editing.definitions_changed([template.pk], now=NOW)
    reports: list[Report] = []
    start = threading.Barrier(CONSUMERS)

    def consume(number: int) -> None:
        order = random.Random(number)
        try:
            start.wait()
            for round_ in range(BATCHES):
                first = 1 + PEOPLE * round_  # new ones each time: making them is the worst moment
                people = order.sample(range(first, first + PEOPLE), PEOPLE)
                messages = [number_passes(who, minute=10 * round_ + number) for who in people]
                reports.append(
                    batch.process(batch.decode_all(messages), clock=lambda: datetime.now(UTC))
                )
        finally:
            connections.close_all()

    threads = [threading.Thread(target=consume, args=[number]) for number in range(CONSUMERS)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sum(report.of("accepted") for report in reports) == CONSUMERS * BATCHES * PEOPLE
    assert summary()["accepted"] == CONSUMERS * BATCHES * PEOPLE
    assert summary()["failed"] == 0
    for rows in (Learner, UserCredential, Issuance):
        assert rows.objects.count() == BATCHES * PEOPLE


ANN = LearnerFacts(
    lms_user_id=11, username="ann", email="", name="Ann Lee", is_active=True, as_of=NOW
)
WITHOUT_ID = ANN._replace(lms_user_id=None)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("first", "second"), [(ANN, WITHOUT_ID), (WITHOUT_ID, ANN)])
def test_the_same_person_with_and_without_an_id_at_the_same_moment(
    first: LearnerFacts, second: LearnerFacts
) -> None:
    keys: list[int] = []

    def add(facts: LearnerFacts) -> list[int]:
        with transaction.atomic():
            return learners.upsert([facts], now=NOW)

    def come_second() -> None:
        try:
            keys.extend(with_retries(lambda: add(second)))
        finally:
            connections.close_all()

    other = threading.Thread(target=come_second)
    with transaction.atomic():
        keys.extend(learners.upsert([first], now=NOW))
        other.start()
        wait_until_blocked(1)  # it has looked, and found nobody
    other.join()
    ann = Learner.objects.get()
    assert (ann.lms_user_id, ann.sole_username) == (11, None)
    assert keys == [ann.pk, ann.pk]


@pytest.mark.django_db(transaction=True)
def test_consumers_race_on_people_with_and_without_ids() -> None:
    """Each person passes one course under an id and another without: the badge needs both."""
    template = BadgeTemplate.objects.create(name="Both", providers=["credly"], is_active=True)
    for number in (1, 2):
        requirement = BadgeRequirement.objects.create(
            template=template, key=f"c{number}", group=str(number), event_type=PASSING
        )
        requirement.rules.create(path="course.course_key", operator="eq", value=course(number))
    editing.definitions_changed([template.pk], now=NOW)
    start = threading.Barrier(2)

    def consume(number: int) -> None:
        order = random.Random(number)
        try:
            start.wait()
            for round_ in range(BATCHES):
                people = order.sample(range(1, PEOPLE + 1), PEOPLE)
                events = [_passes(1_000 * round_ + who, number) for who in people]
                with_retries(partial(process_batch, events, now=NOW))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=consume, args=[number]) for number in (1, 2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert summary()["accepted"] == 2 * BATCHES * PEOPLE
    assert Learner.objects.count() == BATCHES * PEOPLE
    assert UserCredential.objects.count() == BATCHES * PEOPLE


def _passes(who: int, number: int) -> Event:
    """Course 1 under an id, course 2 without."""
    event = passes("ann", number, minute=number)
    user = event["data"]["course_passing_status"]["user"]
    user["id"], user["pii"]["username"] = who, f"learner{who}"
    found = decode(message_of({**event, "id": str(UUID(int=10_000 * number + who))}))
    assert found.learner
    lms_user_id = who if number == 1 else None
    return found._replace(learner=found.learner._replace(lms_user_id=lms_user_id))
