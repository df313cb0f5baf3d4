"""Several consumers and the same people, at the same moment. Not collected on SQLite, like
test_claims_race.py.
"""

import random
import threading
from datetime import UTC, datetime

import pytest
from django.db import connections

from badges import editing
from badges.models import BadgeRequirement
from consumer import batch
from consumer.tally import Report
from credentials.models import BadgeTemplate, Issuance, Learner, UserCredential
from events.inbox import summary
from tests.functional.stories import PASSING
from tests.integration.claims import NOW, number_passes

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
                reports.append(batch.process(messages, clock=lambda: datetime.now(UTC)))
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
