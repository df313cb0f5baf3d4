"""Templates and events that the functional tests tell their stories with."""

from collections.abc import Mapping
from typing import Any
from uuid import NAMESPACE_URL, uuid5

ACME = "39a970c9-e4e2-5883-a2d3-09bc6ccf08a8"
PASSING = "org.openedx.learning.course.passing.status.updated.v1"
EXPLORER = str(uuid5(NAMESPACE_URL, "template/explorer"))
PEOPLE = {"ann": (11, "Ann Lee"), "bob": (12, "Bob Ray"), "cid": (13, "Cid Ode")}


def course(number: int) -> str:
    return f"course-v1:Acme+D{number}+2026"


def rules(number: int, passing: str) -> list[dict[str, str]]:
    return [
        {"path": "course.course_key", "operator": "eq", "value": course(number)},
        {"path": "is_passing", "operator": "eq", "value": passing},
    ]


def explorer(**changes: Any) -> dict[str, Any]:
    """One template: pass course 1 and course 2; failing course 1 undoes it."""
    template = {
        "uuid": EXPLORER,
        "name": "Data Explorer",
        "description": "Passed the two data courses.",
        "organization": ACME,
        "providers": ["credly"],
        "is_active": True,
        "requirements": [
            {"id": "one", "event_type": PASSING, "rules": rules(1, "true")},
            {"id": "two", "event_type": PASSING, "rules": rules(2, "true")},
        ],
        "penalties": [
            {
                "id": "failed-one",
                "event_type": PASSING,
                "resets": ["one"],
                "rules": rules(1, "false"),
            }
        ],
    }
    return document({**template, **changes})


def document(*templates: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "version": 1,
        "organizations": [
            {"uuid": ACME, "provider": "credly", "name": "Acme", "api_key_env": "ACME_CREDLY_KEY"}
        ],
        "templates": list(templates),
    }


def passes(who: str, number: int, *, minute: int, passing: bool = True) -> dict[str, Any]:
    """`who` passes (or fails) course `number` at that minute of a morning in March."""
    lms_user_id, name = PEOPLE[who]
    return {
        "id": str(uuid5(NAMESPACE_URL, f"{who}/{number}/{minute}/{passing}")),
        "type": PASSING,
        "time": f"2026-03-01T10:{minute:02}:00+00:00",
        "source": "openedx/lms/web",
        "data": {
            "course_passing_status": {
                "is_passing": passing,
                "course": {"course_key": course(number), "display_name": f"Course {number}"},
                "user": {
                    "id": lms_user_id,
                    "is_active": True,
                    "pii": {"username": who, "email": f"{who}@example.com", "name": name},
                },
            }
        },
    }
