"""`verified_exams`: who has passed the special exams of a course? A retriever for schedules.

It stands below the app of the schedules and knows nothing of it: the setting
ELIGIBILITY_RETRIEVERS names it, and what it returns are plain mappings.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

import attrs
from opaque_keys.edx.keys import UsageKey

from exam_attempts.models import ExamAttempt
from exam_attempts.standing import Status

_COLUMNS: Final = (
    "learner__lms_user_id",
    "learner__username",
    "learner__email",
    "learner__name",
    "usage_key",
    "status",
)


@attrs.frozen
class _VerifiedExams:
    contexts: frozenset[str] = frozenset({"course", "lesson"})
    options_schema: Mapping[str, Any] = attrs.field(
        factory=lambda: {
            "type": "object",
            "description": "Whether somebody has passed the special exams of a course.",
            "properties": {
                "exams": {
                    "type": "array",
                    "items": {"type": "string", "minLength": 1},
                    "uniqueItems": True,
                    "default": [],
                    "title": "Exams",
                    "description": "The usage key of each exam that has to be verified. None: "
                    "every exam that the learner has sat, and at least one.",
                },
                "exam_types": {
                    "type": "array",
                    "items": {"enum": ["proctored", "timed", "practice", "onboarding"]},
                    "minItems": 1,
                    "uniqueItems": True,
                    "default": ["proctored"],
                    "title": "Types of exam",
                    "description": "Exams of other types are not looked at.",
                },
            },
        }
    )

    def __call__(
        self, context_key: str, options: Mapping[str, Any], *, learner: int | None = None
    ) -> Iterator[tuple[int, Mapping[str, Any]]]:
        """Everybody who has begun one of the exams. The context is a course, or one exam. One
        query, streamed.
        """
        course_key, exams = context_key, options["exams"]
        if context_key.startswith("block-v1:"):
            course_key, exams = str(UsageKey.from_string(context_key).course_key), [context_key]
        attempts = ExamAttempt.objects.filter(
            course_key=course_key,
            exam_type__in=options["exam_types"],
            learner__lms_user_id__isnull=False,
        )
        if exams:
            attempts = attempts.filter(usage_key__in=exams)
        if learner is not None:
            attempts = attempts.filter(learner__lms_user_id=learner)
        rows = attempts.order_by("learner_id").values_list(*_COLUMNS).iterator()
        for person, sat in groupby(rows, key=lambda row: row[:4]):
            yield person[0], _judged(person, sat={row[4]: row[5] for row in sat}, exams=exams)


def _judged(
    person: tuple[Any, ...], *, sat: Mapping[str, str], exams: Sequence[str]
) -> Mapping[str, Any]:
    """`sat`: how the learner's attempts stand, by exam."""
    unmet = [key for key in exams or sorted(sat) if sat.get(key) != Status.VERIFIED]
    return {
        "is_eligible": not unmet,
        "username": person[1],
        "email": person[2],
        "name": person[3],
        "exams": dict(sat),
        "unmet": unmet,
    }


verified_exams: Final = _VerifiedExams()
