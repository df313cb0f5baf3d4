"""The start page of the admin: what needs attention, and what one does here."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import attrs
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from certificates.access import reach_of
from staff import attention


def _has(*permissions: str) -> Callable[[HttpRequest], bool]:
    """Any of them."""
    return lambda request: any(request.user.has_perm(each) for each in permissions)


def _runs_schedules(request: HttpRequest) -> bool:
    return reach_of(request).changes_some


@attrs.frozen
class Task:
    """`page`: name of an admin view. `allowed`: who may do it."""

    title: str
    icon: str
    text: str
    page: str
    allowed: Callable[[HttpRequest], bool]

    @property
    def url(self) -> str:
        return reverse(f"admin:{self.page}")


_TASKS: Final[Sequence[Task]] = (
    Task(
        "Make a badge template",
        "add_circle",
        "A badge of your own: what has to be done for it, and what takes it away.",
        "credentials_badgetemplate_add",
        _has("credentials.add_badgetemplate"),
    ),
    Task(
        "Fetch templates from Credly",
        "sync",
        "Open the organization and press “Synchronise templates”.",
        "credentials_credlyorganization_changelist",
        _has("credentials.add_credlyrun", "credentials.change_credlyorganization"),
    ),
    Task(
        "Award or revoke by hand",
        "stylus",
        "With a reason that is kept, and told to the provider.",
        "badges_by_hand",
        _has("credentials.change_usercredential"),
    ),
    Task(
        "Find out why",
        "rule",
        "What a learner has fulfilled of a badge, what is missing, what happened.",
        "badges_badgeprogress_changelist",
        _has("badges.view_badgeprogress"),
    ),
    Task(
        "Make a schedule",
        "event_repeat",
        "Ask the platform again and again who has completed or passed a course.",
        "certificates_eligibilityschedule_add",
        _has("certificates.add_eligibilityschedule"),
    ),
    Task(
        "Run a schedule",
        "play_circle",
        "Open one: run it now, or see who would get the badge.",
        "certificates_eligibilityschedule_changelist",
        _runs_schedules,
    ),
    Task(
        "Lay out a certificate",
        "dashboard_customize",
        "How the PDF of a badge looks, with a preview.",
        "certificates_certificatelayout_add",
        _has("certificates.add_certificatelayout"),
    ),
    Task(
        "Connect an organization",
        "domain_add",
        "Its key at Credly is tried before it is stored.",
        "credentials_credlyorganization_add",
        _has("credentials.add_credlyorganization"),
    ),
    Task(
        "Let somebody in",
        "person_add",
        "A user, with staff status and a group.",
        "auth_user_add",
        _has("auth.add_user"),
    ),
)
_imports = _has("credentials.add_badgetemplate")


def page(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Called by unfold (DASHBOARD_CALLBACK) with the context of Django's start page."""
    return {
        **context,
        "title": "Start",
        "attention": attention.lines(request, now=timezone.now()),
        "tasks": [each for each in _TASKS if each.allowed(request)],
        "imports": _imports(request),
    }
