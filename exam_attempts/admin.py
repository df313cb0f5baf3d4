"""The exam ledger: read-only, events write it."""

from django.contrib import admin

from credentials.admin.base import ReadOnlyAdmin, display
from exam_attempts.models import ExamAttempt
from exam_attempts.standing import Status


@admin.register(ExamAttempt)
class ExamAttemptAdmin(ReadOnlyAdmin):
    list_display = ("learner", "usage_key", "exam_type", "status_label", "event_time")
    list_filter = ("status", "exam_type")
    list_select_related = ("learner",)
    search_fields = ("learner__username", "=learner__lms_user_id", "course_key", "usage_key")
    search_help_text = "Username, LMS user id, course or exam"
    fields = (
        "learner",
        "course_key",
        "usage_key",
        "exam_type",
        "status",
        "event_time",
        "event_id",
        "requested_by",
        "marks",
    )

    @display(
        description="status",
        ordering="status",
        label={
            Status.SUBMITTED.value: "info",
            Status.VERIFIED.value: "success",
            Status.REJECTED.value: "danger",
            Status.ERRORED.value: "danger",
            Status.VOID.value: "warning",
        },
    )
    def status_label(self, obj: ExamAttempt) -> tuple[str, str]:
        return obj.status, obj.get_status_display()
