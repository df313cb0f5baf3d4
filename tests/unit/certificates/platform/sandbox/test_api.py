"""The sandbox answers in the form of the samples: whatever they have, it has, of the same type."""

from typing import Any, Final

import pytest

from certificates.platform.sandbox import api
from certificates.platform.sandbox.api import Call
from certificates.platform.sandbox.world import World, WorldError
from tests.unit.certificates.platform.test_answers import BLOCK, sample

CK: Final = "course-v1:edX+P1+2024"
WORLD: Final = World.from_document(
    {
        "people": [
            {"id": 11, "username": "ann", "email": "ann@example.com", "name": "Ann L"},
            {"id": 12, "username": "bob"},
            {"id": 13, "username": "cid"},
        ],
        "courses": [
            {
                "id": CK,
                "name": "Proctoring for All",
                "end": "2026-12-31T23:30:00Z",
                "policy": sample("policy"),
                "enrollments": [
                    {
                        "username": "ann",
                        "completion": 0.95,
                        "blocks": {f"{BLOCK}hw01": 0.75},
                        "grades": [{"category": "hw", "percent": 0.8}],
                    },
                    {"username": "bob", "is_active": False},
                    {"username": "cid"},
                ],
            }
        ],
    }
)
# What the sandbox leaves out of the long answers: nobody here reads it.
LEFT_OUT: Final = frozenset(
    {"blocks_url", "effort", "enrollment_start", "enrollment_end", "media", "number", "org"}
    | {"short_description", "start_display", "start_type", "mobile_available", "hidden"}
    | {"invitation_only", "date_joined", "last_login", "country", "language_proficiencies"}
    | {"profile_image", "requires_parental_consent"}
)


def answer(path: str, **query: str) -> api.Reply:
    return api.answer(WORLD, Call(path=path, query=query, url="http://127.0.0.1"))[1]


def shape(document: Any) -> Any:
    """Keys and types; of a list its first entry, of text and numbers no value."""
    if isinstance(document, dict):
        return {key: shape(item) for key, item in document.items() if key not in LEFT_OUT}
    if isinstance(document, list):
        return [shape(document[0])] if document else []
    return "number" if isinstance(document, int | float) else type(document).__name__


@pytest.mark.parametrize(
    ("name", "path", "query"),
    [
        ("course", f"api/courses/v1/courses/{CK}", {}),
        ("policy", f"api/grades/v1/policy/courses/{CK}", {}),
        ("gradebook_first_page", f"api/grades/v1/gradebook/{CK}", {"page_size": "1"}),
        ("gradebook_of_one", f"api/grades/v1/gradebook/{CK}", {"username": "ann"}),
        (
            "completion_page",
            f"api/completion/v1/course/{CK}",
            {"page_size": "1", "requested_fields": "username"},
        ),
        (
            "completion_page_with_blocks",
            f"api/completion/v1/course/{CK}",
            {"requested_fields": "username,sequential"},
        ),
        ("accounts", "api/user/v1/accounts", {"username": "ann,bob"}),
        ("enrollments", "api/enrollment/v1/enrollments", {"course_id": CK, "page_size": "1"}),
    ],
)
def test_as_the_sample(name: str, path: str, query: dict[str, str]) -> None:
    reply = answer(path, **query)
    assert reply.status == 200
    told, expected = shape(reply.document), shape(sample(name))
    if name == "course":  # this one is told no start
        expected["start"] = told["start"]
    assert told == expected


def test_pages_lead_on_to_everybody_who_is_active() -> None:
    path = f"api/grades/v1/gradebook/{CK}"
    first = answer(path, page_size="1").document
    assert [each["username"] for each in first["results"]] == ["ann"]
    cursor = first["next"].partition("cursor=")[2].replace("%3D", "=")
    second = answer(path, page_size="1", cursor=cursor).document
    assert [each["username"] for each in second["results"]] == ["cid"]
    assert second["next"] is None


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("api/courses/v1/courses/course-v1:edX+P2+2024", {}),
        (f"api/grades/v1/gradebook/{CK}", {"username": "bob"}),
        (f"api/completion/v1/course/{CK}", {"page": "2"}),
        ("api/user/v1/accounts", {"username": "zed"}),
        ("api/user/v1/accounts", {"lms_user_id": "99"}),
        ("api/unheard/of", {}),
    ],
)
def test_what_there_is_not(path: str, query: dict[str, str]) -> None:
    assert answer(path, **query).status == 404


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "the world: an object"),
        ({"persons": []}, "persons not known"),
        ({"people": [{"id": 1}]}, "people: .*username"),
        ({"courses": [{"id": CK, "enrollments": [{"username": "ann"}]}]}, "'ann' is none"),
    ],
)
def test_data_that_makes_no_world(document: Any, message: str) -> None:
    with pytest.raises(WorldError, match=message):
        World.from_document(document)


def test_many_learners_are_there_at_once_and_can_be_found() -> None:
    world = World.of_many(50_000, eligible=1_000, course=CK)
    enrollments = world.courses[CK].enrollments
    assert len(enrollments) == 50_000
    last = enrollments[-1].person
    assert world.person(last.username) == world.person_of(last.id) == last
    assert world.person("learner-050000") is None
    assert world.person_of(1000) is None
    assert sum(each.completion == 0.95 for each in enrollments) == 1_000
