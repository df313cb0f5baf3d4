"""Verified names: what is in force for a learner and why, and everything that was said of it."""

from django.contrib import admin

from credentials.admin.base import ReadOnlyAdmin, display
from verified_names.folding import Status
from verified_names.models import VerifiedName

_LABELS = {
    Status.PENDING.value: "info",
    Status.SUBMITTED.value: "info",
    Status.APPROVED.value: "success",
    Status.DENIED.value: "danger",
    Status.VOID.value: "warning",
}


@admin.register(VerifiedName)
class VerifiedNameAdmin(ReadOnlyAdmin):
    list_display = ("learner", "verified_name", "status_label", "source", "attempt", "event_time")
    list_filter = ("status", "source")
    list_select_related = ("learner",)
    search_fields = ("learner__username", "=learner__lms_user_id", "verified_name", "attempt")
    search_help_text = "Username, LMS user id, name or attempt"

    @display(description="status", ordering="status", label=_LABELS)
    def status_label(self, obj: VerifiedName) -> tuple[str, str]:
        return obj.status, obj.get_status_display()
