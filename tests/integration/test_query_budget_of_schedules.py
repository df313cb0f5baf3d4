"""What a run asks the database does not grow with the learners of a batch."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from badges import rulebook
from certificates import feeding
from certificates.feeding import Source
from certificates.models import EligibilitySchedule
from certificates.spool import Finding
from tests.functional.schedule_stories import NOW, clock, schedule

pytestmark = pytest.mark.django_db


def findings(first: int, count: int) -> list[Finding]:
    return [Finding(each, is_eligible=True) for each in range(first, first + count)]


def statements(made: EligibilitySchedule, batch: list[Finding], *, day: int) -> int:
    source = Source.of(made, run=uuid4(), at=NOW + timedelta(days=day))
    rulebook.current()
    with CaptureQueriesContext(connection) as captured:
        awarded = sum(each.awarded for each in feeding.feed([batch], source=source, clock=clock()))
    assert awarded in {0, len(batch)}
    return len(captured)


def test_awarding_one_or_five_hundred() -> None:
    made = schedule()
    few = statements(made, findings(1, 1), day=1)
    assert statements(made, findings(1_001, 500), day=2) == few


def test_nothing_new_costs_a_look() -> None:
    made = schedule()
    statements(made, findings(1, 500), day=1)
    assert statements(made, findings(1, 500), day=2) <= 4  # version, learners, progress, evidence


def test_who_cannot_matter_is_known_beforehand_by_one_look() -> None:
    source = Source.of(schedule(), run=uuid4(), at=NOW)
    rulebook.current()
    with CaptureQueriesContext(connection) as captured:
        assert feeding.verdicts_that_matter(source) == {True}
    assert len(captured) == 1
