"""The details of an eligibility event say nothing of who the learner is."""

import json

import pytest
from openedx_events.learning.data import UserData

from badges.rules.paths import Kind, key_paths
from events.eligibility import EVENT_TYPE, EligibilityData, impersonal
from events.registry import subscribe


def details(**given: object) -> object:
    return json.loads(impersonal(json.dumps(given)))


def test_what_the_decision_rests_on_is_kept() -> None:
    assert details(total=82.5, grades={"hw": 80, "exam": 95}, steps=[1, "two", None]) == {
        "total": 82.5,
        "grades": {"hw": 80, "exam": 95},
        "steps": [1, "two", None],
    }


@pytest.mark.parametrize("key", ["name", "Full Name", "first_name", "EMAIL", "e-mail", "username"])
def test_keys_that_name_people_are_left_out(key: str) -> None:
    assert details(**{key: "Ann Lee"}, inside={key: "Ann"}, all=[{key: "Ann"}]) == {
        "inside": {},
        "all": [{}],
    }


def test_addresses_are_left_out_wherever_they_stand() -> None:
    given = {"note": "ask ann@example.com", "seats": ["ann@example.com"], "ann@example.com": 1}
    assert details(**given) == {"note": None, "seats": [None]}


@pytest.mark.parametrize("text", ["", "ann", "[1]", '"ann"', "{", "[" * 100_000])
def test_what_is_no_object_says_nothing(text: str) -> None:
    assert impersonal(text) == "{}"


def test_equal_details_are_equal_text() -> None:
    assert impersonal('{"b": 1, "a": 2}') == impersonal('{"a":2,"b":1}')


def test_every_payload_is_impersonal() -> None:
    user = UserData(id=11, is_active=True, pii=None)
    made = EligibilityData(
        user=user, context_key="c", is_eligible=True, details='{"name": "Ann", "total": 1}'
    )
    assert made.details == '{"total":1}'


def test_what_rules_reach() -> None:
    subscription = subscribe(EVENT_TYPE)
    paths = key_paths(subscription.payload_type)
    kinds = {name: paths[name].kind for name in ("context_key", "is_eligible", "details")}
    assert subscription.learner_path == "eligibility.user"
    assert kinds == {"context_key": Kind.TEXT, "is_eligible": Kind.BOOLEAN, "details": Kind.TEXT}
