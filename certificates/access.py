"""Who may see and change which schedules: badge admins by Django's permissions every one,
instructors those of the courses they were given.
"""

from typing import Any

import attrs
from django.db.models import Q
from django.http import HttpRequest

from certificates.models import CourseInstructor

_SCHEDULES = ("certificates.view_eligibilityschedule", "certificates.change_eligibilityschedule")


@attrs.frozen
class Reach:
    """`sees_all`, `changes_all`: by permission. `courses`: those given to an instructor."""

    sees_all: bool = False
    changes_all: bool = False
    courses: frozenset[str] = frozenset()

    @property
    def sees_some(self) -> bool:
        return self.sees_all or bool(self.courses)

    @property
    def changes_some(self) -> bool:
        return self.changes_all or bool(self.courses)

    def sees(self, course_key: str) -> bool:
        return self.sees_all or course_key in self.courses

    def changes(self, course_key: str) -> bool:
        return self.changes_all or course_key in self.courses

    def within(self, path: str = "course_key") -> Q:
        """The rows that may be seen; `path` leads to the course key of their schedule."""
        return Q() if self.sees_all else Q(**{f"{path}__in": self.courses})


def reach(user: Any) -> Reach:
    """One query for members of the staff without permission for all."""
    if not (user.is_active and user.is_staff):
        return Reach()
    changes_all = user.has_perm(_SCHEDULES[1])
    sees_all = changes_all or user.has_perm(_SCHEDULES[0])
    if changes_all:
        return Reach(sees_all, changes_all)
    rows = CourseInstructor.objects.filter(user=user)
    return Reach(sees_all, changes_all, frozenset(rows.values_list("course_key", flat=True)))


def reach_of(request: HttpRequest) -> Reach:
    """Asked once per request."""
    found: Reach | None = request.META.get("laurel.reach")
    if found is None:
        found = request.META["laurel.reach"] = reach(request.user)
    return found


def sees_schedules(request: HttpRequest) -> bool:
    """For the sidebar."""
    return reach_of(request).sees_some
