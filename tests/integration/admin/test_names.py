"""Staff look at a learner's names, and decide."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from credentials.models import BadgeTemplate, Issuance, Learner, UserCredential
from exam_attempts.models import ExamAttempt
from tests.integration.admin.pages import messages
from verified_names.by_hand import choose
from verified_names.folding import Fact, Status
from verified_names.lifecycle import record
from verified_names.models import NameFact, VerifiedName, VerifiedNameConfig

START = datetime(2026, 3, 1, tzinfo=UTC)
NAMES = "/admin/verified_names/verifiedname/"


@pytest.fixture
def ann(db: None) -> Learner:
    return Learner.objects.create(lms_user_id=11, username="ann", name="Ann L", profile_time=START)


def say(ann: Learner, attempt: str, status: str, name: str, day: int, **more: Any) -> VerifiedName:
    fact = Fact(
        source="idv",
        attempt=attempt,
        status=Status(status),
        at=START + timedelta(days=day),
        event_id=uuid4(),
        name=name,
        **more,
    )
    record([(ann.pk, fact)], now=timezone.now())
    return VerifiedName.objects.get(attempt=attempt)


def page(client: Client, row: VerifiedName) -> str:
    return client.get(f"{NAMES}{row.pk}/change/").content.decode()


def test_the_page_says_which_name_is_in_force_and_why(admin_client: Client, ann: Learner) -> None:
    older = say(ann, "1", "approved", "Ann Old", 1)
    newer = say(ann, "2", "approved", "Ann New", 2)
    expired = say(ann, "3", "approved", "Ann Gone", 3, valid_until=START + timedelta(days=4))
    say(ann, "4", "denied", "Ann Not", 4)

    text = page(admin_client, older)

    assert "“Ann New” is in force" in text
    assert "“Ann New”, vouched for by idv 2: in force" in text
    assert "“Ann Old”, vouched for by idv 1: not in force: another was approved later" in text
    assert "“Ann Gone”, vouched for by idv 3: not in force: expired" in text
    assert "“Ann Not”, vouched for by idv 4: not in force: denied" in text
    assert "opted out" not in text

    choose(ann, use_verified_name=False, now=timezone.now())
    assert "The learner opted out" in page(admin_client, newer)
    for row in (newer, expired):
        say(ann, row.attempt, "denied", "", 5)
    say(ann, "1", "denied", "", 5)
    text = page(admin_client, older)
    assert "No verified name is in force" in text
    assert "nothing: they wait for a name" in text


def test_staff_decide_with_a_button(admin_client: Client, ann: Learner) -> None:
    row = say(ann, "1", "pending", "Ann Lee", 1)

    answer = admin_client.post(f"{NAMES}{row.pk}/do/approve/")

    row.refresh_from_db()
    assert row.status == "approved"
    assert "“Ann Lee” is approved" in messages(admin_client.get(answer["Location"]))
    assert NameFact.objects.get(by="admin").status == "approved"
    text = page(admin_client, row)
    assert "admin decided" in text
    assert "/do/deny/" in text
    assert "/do/approve/" not in text


def test_who_may_only_look_decides_nothing(client: Client, ann: Learner) -> None:
    row = say(ann, "1", "pending", "Ann Lee", 1)
    auditor = User.objects.create_user("auditor", is_staff=True)
    auditor.user_permissions.set(Permission.objects.filter(codename="view_verifiedname"))
    client.force_login(auditor)

    assert "Everything that was said" in page(client, row)
    assert client.post(f"{NAMES}{row.pk}/do/approve/").status_code == 403
    row.refresh_from_db()
    assert row.status == "pending"
    client.force_login(User.objects.create_user("nobody", is_staff=True))
    assert client.get(f"{NAMES}{row.pk}/change/").status_code == 403


def test_every_page_of_names_and_exams_opens(
    admin_client: Client, ann: Learner, explorer: BadgeTemplate
) -> None:
    say(ann, "1", "pending", "Ann Lee", 1)
    choose(ann, use_verified_name=True, now=timezone.now())
    attempt = {"exam_type": "proctored", "status": "verified"}
    event = {"event_id": uuid4(), "event_time": START}
    ExamAttempt.objects.create(learner=ann, course_key="c", usage_key="u", **attempt, **event)
    for model in (VerifiedName, NameFact, VerifiedNameConfig, ExamAttempt):
        folder = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        assert admin_client.get(folder).status_code == 200
        assert admin_client.get(f"{folder}{model.objects.get().pk}/change/").status_code == 200


def test_what_waits_and_what_drifted_is_said(
    admin_client: Client, ann: Learner, explorer: BadgeTemplate
) -> None:
    credential = UserCredential.objects.create(
        learner=ann, template=explorer, awarded_at=START, issued_name="Ann Old"
    )
    row = Issuance.objects.create(credential=credential, provider="credly", state="held")
    url = f"/admin/credentials/issuance/{row.pk}/change/"
    assert "Waits until a verified name" in admin_client.get(url).content.decode()

    Issuance.objects.update(state="accepted", name_drift=True)
    text = admin_client.get(url).content.decode()
    assert "Issued in the name Ann Old, which is no more in force" in text
    assert "Waits until" not in text
