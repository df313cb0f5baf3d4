"""A person leaves: nothing says any more who it was."""

import io
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import redis as redis_client
from django.apps import apps
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from credentials.models import Issuance, Learner, OutboxEvent, UserCredential
from credly_client.sandbox import Running
from events.models import InboxEvent
from exam_attempts.models import ExamAttempt
from tests.functional.conftest import Service
from tests.functional.exam_stories import ANN, PROCTORED, PROF, exam, idv, proctored
from tests.functional.stories import ACME
from tests.servers import RedisServer
from verified_names.by_hand import choose
from verified_names.models import NameFact, VerifiedName, VerifiedNameConfig

ANNE = {**ANN, "name": "Anne Quince", "email": "anne.quince@example.com", "username": "quince"}


@pytest.fixture(autouse=True)
def _ann(service: Service, credly: Running, redis: RedisServer) -> None:
    """She passed the exam, has a badge and a name; so has prof, who reset her once; one message
    about her cannot be read.
    """
    credly.sandbox.control(
        "templates", {"id": PROCTORED, "organization_id": ACME, "name": "Proctored final"}
    )
    service.load(proctored())
    service.publish(
        [
            exam("reset", 1, ANNE, requested_by=PROF),
            exam("verified", 2, ANNE),
            exam("reset", 2, PROF, requested_by=ANNE),
            exam("verified", 3, PROF),
            idv("approved", 7, "Anne Quince Lee", 3, ANNE),
        ]
    )
    with redis_client.Redis.from_url(redis.url) as bus:
        _, fields = bus.xrange(service.topic)[0]
        spoilt = {b"time": b"yesterday", b"id": str(uuid4()).encode()}
        bus.xadd(service.topic, {**fields, **spoilt})
    service.consume()
    service.issue()
    service.consume()  # our own news of the badges
    ann = Learner.objects.get(username="quince")
    choose(ann, use_verified_name=True, now=timezone.now())


def retire(**options: Any) -> str:
    output = io.StringIO()
    call_command("retire_learner", stdout=output, **options)
    return output.getvalue()


def everything() -> Iterator[str]:
    """Each row of our own tables, as text."""
    ours = ("credentials", "events", "badges", "exam_attempts", "verified_names", "service_signals")
    for label in ours:
        for model in apps.get_app_config(label).get_models():
            for row in model._default_manager.values():
                raw = row.pop("raw", None)
                yield f"{model.__name__} {row} {bytes(raw) if raw else ''!r}"


def mentions(*texts: str) -> list[str]:
    return [row for row in everything() if any(text in row for text in texts)]


def test_na_12_nothing_says_any_more_who_it_was(service: Service, credly: Running) -> None:
    assert len(mentions("quince", "Quince")) > 5

    report = retire(learner="quince")

    assert not mentions("quince", "Quince")
    assert not VerifiedName.objects.filter(learner__lms_user_id=11).exists()
    assert not Learner.objects.filter(lms_user_id=11).exists()
    assert not VerifiedNameConfig.objects.exists()
    assert {each.learner.username for each in NameFact.objects.all()} == {"prof"}
    assert ExamAttempt.objects.get().requested_by is None
    assert "    2  verified names deleted" in report
    assert "    1  credentials revoked" in report
    assert "    1  unread messages deleted" in report

    service.issue()
    gone, kept = UserCredential.objects.order_by("-status")  # revoked, awarded
    badges = credly.sandbox.control("state", {}, method="GET")["badges"]
    assert sorted(each["state"] for each in badges) == ["pending", "revoked"]
    assert (kept.learner.username, gone.learner.username[:8]) == ("prof", "retired-")
    assert gone.status == "revoked"
    assert gone.issued_name == ""
    assert Issuance.objects.get(credential=gone).state == "revoked"
    assert OutboxEvent.objects.filter(published_at=None, credential=gone).count() == 0


@pytest.mark.parametrize("keeps", [True, False])
def test_na_12_the_setting_says_whether_the_issued_name_stays(
    settings: Settings, keeps: bool
) -> None:
    settings.RETIREMENT_KEEPS_ISSUED_NAMES = keeps

    retire(lms_user_id=11)

    names = UserCredential.objects.filter(status="revoked").values_list("issued_name", flat=True)
    assert list(names) == ["Anne Quince Lee" if keeps else ""]


def test_events_that_come_again_do_not_bring_the_person_back(service: Service) -> None:
    retire(learner="quince")
    accepted = InboxEvent.objects.filter(state="accepted").count()

    service.publish([exam("verified", 2, ANNE), idv("approved", 7, "Anne Quince Lee", 3, ANNE)])
    service.consume()

    assert not Learner.objects.filter(lms_user_id=11).exists()
    assert InboxEvent.objects.filter(state="accepted").count() == accepted
    assert not mentions("quince", "Quince")


def test_who_comes_back_is_retired_again(service: Service) -> None:
    """What was under way, or a platform that still speaks of the person, makes a new learner."""
    retire(learner="quince")
    service.publish([exam("submitted", 9, ANNE)])
    service.consume()
    assert mentions("quince")

    retire(learner="quince")

    assert not mentions("quince", "Quince")


def test_a_dry_run_only_tells(service: Service) -> None:
    before = list(everything())

    assert "nothing was written" in retire(learner="quince", dry_run=True)

    assert list(everything()) == before


def test_nobody_is_retired_by_mistake() -> None:
    with pytest.raises(CommandError, match="No such learner"):
        retire(learner="nobody")
    Learner.objects.create(lms_user_id=12, username="quince", profile_time=timezone.now())
    with pytest.raises(CommandError, match="More than one learner"):
        retire(learner="quince")
