"""Verified names: what is in force for a learner and why, and everything that was said of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from credentials.admin.base import Note, ReadOnlyAdmin, display
from credentials.models import Learner
from verified_names import by_hand, explain
from verified_names.folding import Outcome, Status
from verified_names.models import NameFact, VerifiedName, VerifiedNameConfig
from verified_names.resolver import Known, known_of

_LABELS = {
    Status.PENDING.value: "info",
    Status.SUBMITTED.value: "info",
    Status.APPROVED.value: "success",
    Status.DENIED.value: "danger",
    Status.VOID.value: "warning",
}
_OUTCOMES = {
    Outcome.COUNTED.value: "success",
    Outcome.MISMATCH.value: "danger",
    Outcome.REFUSED.value: "danger",
    Outcome.NO_NAME.value: "warning",
}


@admin.register(VerifiedName)
class VerifiedNameAdmin(ReadOnlyAdmin):
    urgent = Q(status__in=[Status.PENDING, Status.SUBMITTED])
    list_display = ("learner", "verified_name", "status_label", "source", "attempt", "event_time")
    list_filter = ("status", "source")
    list_select_related = ("learner",)
    ordering = ("-id",)
    search_fields = ("learner__username", "=learner__lms_user_id", "verified_name", "attempt")
    search_help_text = "Username, LMS user id, name or attempt"
    actions = ("approve", "deny")
    buttons = ("approve", "deny")
    change_form_outer_after_template = "verified_names/admin/timeline.html"
    fields = (
        "learner",
        "verified_name",
        "profile_name",
        "status",
        "source",
        "attempt",
        "event_time",
        "approved_at",
        "valid_until",
    )

    @display(description="status", ordering="status", label=_LABELS)
    def status_label(self, obj: VerifiedName) -> tuple[str, str]:
        return obj.status, obj.get_status_display()

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        may_look = row is not None and self.has_view_permission(request, row)
        context = _timeline(row.learner, now=timezone.now()) if may_look else {}
        return super().change_view(
            request, object_id, form_url, {**context, **(extra_context or {})}
        )

    def get_notes(self, request: HttpRequest, obj: VerifiedName) -> Sequence[Note]:
        return (Note("info", explain.why(_known(obj.learner), now=timezone.now())),)

    def get_buttons(self, request: HttpRequest, obj: VerifiedName) -> Sequence[str]:
        done = {Status.APPROVED: "approve", Status.DENIED: "deny"}.get(Status(obj.status))
        return [name for name in self.buttons if name != done]

    @admin.action(description="Approve", permissions=["act"])
    def approve(self, request: HttpRequest, queryset: QuerySet[VerifiedName]) -> None:
        self._decide(request, queryset, Status.APPROVED)

    @admin.action(description="Deny", permissions=["act"])
    def deny(self, request: HttpRequest, queryset: QuerySet[VerifiedName]) -> None:
        self._decide(request, queryset, Status.DENIED)

    def _decide(
        self, request: HttpRequest, queryset: QuerySet[VerifiedName], status: Status
    ) -> None:
        by = request.user.get_username()
        for row in queryset:
            by_hand.decide(row, status=status, by=by, now=timezone.now())
            self.message_user(request, f"“{row.verified_name}” is {status}.", messages.SUCCESS)


def _known(learner: Learner) -> Known:
    return known_of([learner])[learner.pk]


def _timeline(learner: Learner, *, now: datetime) -> dict[str, Any]:
    """Everything that was said of a learner's names, and why they are in force or not."""
    known = _known(learner)
    return {
        "learner": learner,
        "answers": explain.answers(known, now=now),
        "facts": NameFact.objects.filter(learner=learner),
        "names": [
            {
                "name": row.name,
                "said": explain.said(row.name),
                "standing": explain.standing(row.name, known, now=now),
            }
            for row in VerifiedName.objects.filter(learner=learner)
        ],
    }


@admin.register(NameFact)
class NameFactAdmin(ReadOnlyAdmin):
    list_display = ("learner", "status", "name", "source", "attempt", "outcome_label", "event_time")
    list_filter = ("outcome", "source")
    list_select_related = ("learner",)
    ordering = ("-id",)
    search_fields = ("learner__username", "=learner__lms_user_id", "name", "attempt")
    search_help_text = "Username, LMS user id, name or attempt"
    fields = (
        "learner",
        "source",
        "attempt",
        "status",
        "name",
        "refused",
        "outcome",
        "by",
        "profile_name",
        "valid_until",
        "event_time",
        "received_at",
        "event_id",
    )

    @display(description="what became of it", ordering="outcome", label=_OUTCOMES)
    def outcome_label(self, obj: NameFact) -> tuple[str, str]:
        return obj.outcome, obj.get_outcome_display()


@admin.register(VerifiedNameConfig)
class VerifiedNameConfigAdmin(ReadOnlyAdmin):
    when_empty = "No learner has chosen between the verified name and that of the profile."
    list_display = ("learner", "use_verified_name", "changed_at")
    list_select_related = ("learner",)
    search_fields = ("learner__username", "=learner__lms_user_id")
