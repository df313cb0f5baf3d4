"""The course of the scenarios at a local platform, and who did what in it."""

from collections.abc import Mapping
from typing import Any, Final

from certificates.retrievers.asking import evaluate
from certificates.retrievers.base import Evaluated

CK: Final = "course-v1:edX+P1+2024"
DK: Final = "course-v1:edX+P2+2024"
_BLOCK: Final = "block-v1:edX+P1+2024+type@"
FINAL: Final = f"{_BLOCK}sequential+block@final"
LAB: Final = f"{_BLOCK}sequential+block@lab"
PROBLEM: Final = f"{_BLOCK}problem+block@one"
POLICY: Final = [
    {"assignment_type": "hw", "count": 1, "dropped": 0, "weight": 0.2},
    {"assignment_type": "lab", "count": 1, "dropped": 0, "weight": 0.1},
    {"assignment_type": "exam", "count": 1, "dropped": 0, "weight": 0.7},
]
END: Final = "2999-12-31T23:30:00Z"  # nobody lives to see a story fail because it is over
PEOPLE: Final = {"ann": 11, "bob": 12, "cid": 13, "dan": 14}


def person(username: str) -> dict[str, Any]:
    name = f"{username.title()} of the Academy"
    email = f"{username}@example.com"
    return {"id": PEOPLE[username], "username": username, "email": email, "name": name}


def section(category: str, percent: Any, module_id: str = "") -> dict[str, Any]:
    return {"category": category, "percent": percent, "module_id": module_id}


def course(key: str = CK, **enrolled: Mapping[str, Any]) -> dict[str, Any]:
    """`enrolled`: what the sandbox's world says of each, by username."""
    return {
        "id": key,
        "name": "Proctoring for All",
        "end": END,
        "policy": POLICY,
        "enrollments": [{"username": name, **about} for name, about in enrolled.items()],
    }


def world(*courses: Mapping[str, Any]) -> dict[str, Any]:
    return {"people": [person(each) for each in PEOPLE], "courses": list(courses)}


def ask(
    slug: str, context_key: str = CK, *, learner: int | None = None, **options: Any
) -> dict[str, Evaluated]:
    """The results by username."""
    results = evaluate(slug, context_key=context_key, options=options, learner=learner)
    return {each.username: each for each in results}


def eligible(results: Mapping[str, Evaluated]) -> set[str]:
    return {name for name, each in results.items() if each.is_eligible}
