"""Text is compared exactly on every database, and searched without regard to case."""

from datetime import UTC, datetime

import pytest
from django.test import Client

from credentials import learners
from credentials.learners import LearnerFacts
from credentials.models import CredlyOrganization, Learner

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def known_as(username: str, *, name: str = "") -> LearnerFacts:
    return LearnerFacts(
        lms_user_id=None, username=username, email="", name=name, is_active=True, as_of=NOW
    )


def test_usernames_that_differ_in_case_accent_or_space_are_different_people() -> None:
    names = ["ann", "Ann", "änn", "ann ", "ANN"]
    keys = learners.upsert([known_as(name) for name in names], now=NOW)
    assert len(set(keys)) == len(names)
    assert learners.upsert([known_as(name) for name in reversed(names)], now=NOW) == keys[::-1]
    assert set(Learner.objects.values_list("username", flat=True)) == set(names)


@pytest.mark.parametrize("words", ["ann lee", "ANN", "aNN leE"])
def test_the_search_finds_people_in_any_case(admin_client: Client, words: str) -> None:
    learners.upsert([known_as("al1", name="Ann Lee"), known_as("bob", name="Bob Ray")], now=NOW)
    page = admin_client.get("/admin/credentials/learner/", {"q": words})
    assert [row.username for row in page.context["cl"].result_list] == ["al1"]


def test_the_search_finds_a_part_of_a_uuid(admin_client: Client) -> None:
    acme = CredlyOrganization.objects.create(uuid="5f1b0cb7-0000-4000-8000-000000000001")
    page = admin_client.get("/admin/credentials/credlyorganization/", {"q": "5F1B0CB7-0000"})
    assert [row.pk for row in page.context["cl"].result_list] == [acme.pk]
