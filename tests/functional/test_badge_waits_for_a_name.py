"""A badge that is issued in a verified name only, and names that change after the issue."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from credentials.models import Issuance, UserCredential
from credly_client.sandbox import Running
from events import pipeline
from tests.functional.conftest import Service
from tests.functional.exam_stories import ANN, PROCTORED, exam, idv, proctored
from tests.functional.stories import ACME
from verified_names.models import VerifiedName

LEE = {**ANN, "name": "Ann Lee"}


@pytest.fixture(autouse=True)
def _template(credly: Running) -> None:
    credly.sandbox.control(
        "templates", {"id": PROCTORED, "organization_id": ACME, "name": "Proctored final"}
    )


@pytest.fixture(autouse=True)
def _other_handlers() -> Iterator[None]:
    pipeline.handlers.cache_clear()
    yield
    pipeline.handlers.cache_clear()


def tell(service: Service, *events: dict[str, Any]) -> None:
    service.publish(list(events))
    assert service.consume() == 0


def timed(verb: str, minute: int) -> dict[str, Any]:
    """An exam that vouches for no name."""
    return exam(verb, minute, kind="timed")


def load(service: Service, policy: str = "verified_required") -> None:
    """The badge of any verified exam."""
    requirement = {"id": "passed", "event_type": exam("verified", 1)["type"], "rules": []}
    penalty = {
        "id": "reset",
        "event_type": exam("reset", 1)["type"],
        "resets": ["passed"],
        "rules": [],
    }
    service.load(proctored(name_policy=policy, requirements=[requirement], penalties=[penalty]))


def issuance(service: Service) -> tuple[str, str]:
    badge = service.badge("ann", PROCTORED)
    assert badge is not None
    (row,) = badge["credential"]["issuances"]
    return row["wanted"], row["state"]


def issued(credly: Running) -> list[tuple[str, str, str]]:
    badges = credly.sandbox.control("state", {}, method="GET")["badges"]
    return [
        (each["issued_to_first_name"], each["issued_to_last_name"], each["state"])
        for each in badges
    ]


def test_x_3_a_badge_is_held_until_a_name_is_approved(service: Service, credly: Running) -> None:
    load(service)
    tell(service, timed("verified", 1))
    service.issue()
    assert issuance(service) == ("issued", "held")
    assert issued(credly) == []

    tell(service, idv("denied", 7, "Ann Lee", 2))
    service.issue()
    assert issuance(service) == ("issued", "held")

    tell(service, idv("approved", 8, "Ann Lee", 3))
    service.issue()
    assert issuance(service) == ("issued", "pending")
    assert issued(credly) == [("Ann", "Lee", "pending")]
    credential = UserCredential.objects.get()
    assert (credential.issued_name, credential.issued_name_source) == ("Ann Lee", "verified")


def test_x_3_revoked_while_held_is_cancelled(service: Service, credly: Running) -> None:
    load(service)
    tell(service, timed("verified", 1))
    service.issue()

    tell(service, timed("reset", 2))
    service.issue()
    tell(service, idv("approved", 8, "Ann Lee", 3))
    service.issue()

    assert issuance(service) == ("revoked", "cancelled")
    assert issued(credly) == []


def test_x_3_the_approval_itself_makes_it_due(service: Service, credly: Running) -> None:
    """Not a sweep that looks at everything held, and not a signal that could be lost."""
    load(service)
    tell(service, timed("verified", 1))
    service.issue()
    assert Issuance.objects.get().next_attempt_at is None

    tell(service, idv("approved", 8, "Ann Lee", 3))

    row = Issuance.objects.get()
    assert (row.state, row.started) == ("created", False)
    assert row.next_attempt_at is not None
    assert row.next_attempt_at <= timezone.now()


def test_a_held_badge_is_released_when_the_policy_asks_for_less(
    service: Service, credly: Running
) -> None:
    load(service)
    tell(service, timed("verified", 1))
    service.issue()

    load(service, "verified_if_available")
    service.issue()

    assert issued(credly) == [("Ann", "L", "pending")]
    assert UserCredential.objects.get().issued_name_source == "profile"


@pytest.mark.parametrize("first", ["names", "rules"])
@pytest.mark.parametrize("policy", ["verified_required", "verified_if_available"])
def test_x_2_names_before_the_rules_or_after(
    service: Service, credly: Running, settings: Settings, first: str, policy: str
) -> None:
    names, rules = "verified_names.lifecycle.apply", "badges.flow.process"
    order = [names, rules] if first == "names" else [rules, names]
    settings.EVENT_HANDLERS = ["exam_attempts.ledger.record", *order]
    load(service, policy)

    tell(service, exam("submitted", 1, LEE), exam("verified", 2, LEE))
    service.issue()

    assert issued(credly) == [("Ann", "Lee", "pending")]
    assert issuance(service) == ("issued", "pending")
    assert VerifiedName.objects.get().status == "approved"
    credential = UserCredential.objects.get()
    assert (credential.issued_name, credential.issued_name_source) == ("Ann Lee", "verified")


def test_a_badge_in_a_former_name_is_only_marked(service: Service, credly: Running) -> None:
    load(service, "verified_if_available")
    tell(service, timed("verified", 1))
    service.issue()
    before = issued(credly)
    assert not Issuance.objects.get().name_drift

    tell(service, idv("approved", 7, "Ann Lee", 2))
    service.issue()

    row = Issuance.objects.select_related("credential").get()
    assert row.name_drift
    assert row.credential.issued_name == "Ann L"
    assert issued(credly) == before == [("Ann", "L", "pending")]

    tell(service, idv("denied", 7, None, 3))
    assert not Issuance.objects.get().name_drift


@pytest.mark.parametrize("policy", ["profile", "verified_if_available"])
def test_another_name_in_the_profile_marks_the_badge(
    service: Service, credly: Running, policy: str
) -> None:
    load(service, policy)
    tell(service, timed("verified", 1))
    service.issue()
    renamed = timed("submitted", 2)
    user = renamed["data"]["exam_attempt"]["student_user"]
    assert user["pii"]["name"] == "Ann L"
    user["pii"]["name"] = "Ann Lou"

    tell(service, renamed)
    assert Issuance.objects.get().name_drift

    tell(service, timed("submitted", 3))  # Ann L again
    assert not Issuance.objects.get().name_drift


def test_a_verified_name_that_was_issued_outlasts_another_profile(
    service: Service, credly: Running
) -> None:
    load(service)
    tell(service, timed("verified", 1), idv("approved", 8, "Ann Lee", 2))
    service.issue()
    renamed = timed("submitted", 3)
    renamed["data"]["exam_attempt"]["student_user"]["pii"]["name"] = "Ann Lou"
    tell(service, renamed)
    assert not Issuance.objects.get().name_drift
