"""Exam and identity events, and the people of the exam and name scenarios."""

from collections.abc import Mapping
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from tests.functional.stories import ACME, document

CK = "course-v1:edX+P1+2024"
UK = "block-v1:edX+P1+2024+type@sequential+block@final"
PROCTORED = str(uuid5(NAMESPACE_URL, "template/proctored"))
ANN = {"id": 11, "username": "ann", "name": "Ann L"}
BOB = {"id": 12, "username": "bob", "name": "Bob"}
PROF = {"id": 99, "username": "prof", "name": "Prof"}


def exam_type(verb: str) -> str:
    return f"org.openedx.learning.exam.attempt.{verb}.v1"


def idv_type(verb: str) -> str:
    return f"org.openedx.learning.idv_attempt.{verb}.v1"


def time(minute: int) -> str:
    return f"2026-03-01T10:{minute:02}:00+00:00"


def user(person: Mapping[str, Any]) -> dict[str, Any]:
    email = person.get("email", f"{person['username']}@example.com")
    pii = {"username": person["username"], "email": email, "name": person["name"]}
    return {"id": person["id"], "is_active": True, "pii": pii}


def exam(verb: str, minute: int, who: Mapping[str, Any] = ANN, **changes: Any) -> dict[str, Any]:
    """`who` and the proctored final; `requested_by`, `usage_key`, `kind` and so on differ."""
    by = changes.pop("requested_by", None)
    attempt = {
        "student_user": user(who),
        "course_key": changes.pop("course_key", CK),
        "usage_key": changes.pop("usage_key", UK),
        "exam_type": changes.pop("kind", "proctored"),
        **({"requesting_user": user(by)} if by else {}),
    }
    return _event(exam_type(verb), minute, {"exam_attempt": attempt}, **changes)


def idv(
    verb: str,
    attempt: int,
    name: str | None,
    minute: int,
    who: Mapping[str, Any] = ANN,
    **more: Any,
) -> dict[str, Any]:
    """The identity check number `attempt` of `who`."""
    data: dict[str, Any] = {"attempt_id": attempt, "user": user(who), "status": "whatever"}
    data |= {"name": name} if name is not None else {}
    data |= {"expiration_date": more.pop("until")} if "until" in more else {}
    return _event(idv_type(verb), minute, {"idv_attempt": data}, **more)


def _event(event_type: str, minute: int, data: dict[str, Any], **changes: Any) -> dict[str, Any]:
    key = f"{event_type}/{minute}/{data}"
    return {
        "id": str(uuid5(NAMESPACE_URL, key)),
        "type": event_type,
        "time": time(minute),
        "source": "openedx/exams/web",
        "data": data,
        **changes,
    }


def rule(path: str, value: str, operator: str = "eq") -> dict[str, str]:
    return {"path": path, "operator": operator, "value": value}


EXAM_RULES = [rule("course_key", CK), rule("usage_key", UK), rule("exam_type", "proctored")]


def requirement(key: str = "passed", verb: str = "verified", **changes: Any) -> dict[str, Any]:
    return {"id": key, "event_type": exam_type(verb), "rules": EXAM_RULES, **changes}


def penalty(verb: str, *resets: str, rules: Any = EXAM_RULES) -> dict[str, Any]:
    return {
        "id": f"exam-{verb}",
        "event_type": exam_type(verb),
        "resets": list(resets) or ["passed"],
        "rules": rules,
    }


def proctored(**changes: Any) -> dict[str, Any]:
    """One badge: pass the proctored final."""
    template = {
        "uuid": PROCTORED,
        "name": "Proctored final",
        "organization": ACME,
        "providers": ["credly"],
        "is_active": True,
        "requirements": [requirement()],
        "penalties": [penalty("rejected"), penalty("reset")],
    }
    return document({**template, **changes})
