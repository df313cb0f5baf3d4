"""Schedules run by hand at the command line."""

import io

import pytest
from django.core.management import CommandError, call_command

from certificates.models import CredentialType, ScheduleRun
from tests.fakes.oracle import oracle
from tests.functional.schedule_stories import ANN, BOB, CK, badge, holders, schedule

pytestmark = pytest.mark.django_db(transaction=True)


def said(*arguments: str) -> str:
    output = io.StringIO()
    call_command("run_schedules", *arguments, stdout=output)
    return output.getvalue()


def test_who_would_get_it_and_then_they_do() -> None:
    oracle.answers = {
        ANN: {"is_eligible": True, "username": "ann"},
        BOB: {"is_eligible": True},
        13: {"fault": "no category lab"},
    }
    made = schedule()
    name = f"{made.pk} Course completed for {CK}: done, 3 evaluated, 2 eligible,"
    assert said("--who") == (
        f"{name} 2 would be awarded, 0 known already, 1 not judged\n"
        "  LMS user 13: no category lab\n  ann: would be awarded\n  LMS user 12: would be awarded\n"
    )
    assert holders(made.template) == []
    assert f"{name} 2 awarded, 0 known already, 1 not judged" in said(str(made.pk))
    assert holders(made.template) == [ANN, BOB]


def test_one_that_fails_does_not_stop_the_others() -> None:
    broken = schedule(badge("A"), type=CredentialType.objects.create(name="B", retriever="lost"))
    oracle.scores = {CK: {ANN: 0.95}}
    sound = schedule(badge("B"))
    with pytest.raises(CommandError, match="1 of 2 runs failed"):
        said()
    assert holders(sound.template) == [ANN]
    assert ScheduleRun.objects.get(schedule=broken).state == ScheduleRun.State.FAILED


def test_an_unknown_one_is_said_before_any_runs() -> None:
    schedule()
    with pytest.raises(CommandError, match="No schedule has the id 4711"):
        said("4711")
    assert not ScheduleRun.objects.exists()
