"""Credentials: who holds what, who lost it, and how it fares at the providers."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from credentials.admin.base import ReadOnlyAdmin, ReadOnlyInline, display
from credentials.models import Issuance, OutboxEvent, UserCredential

Status = UserCredential.Status


class IssuanceInline(ReadOnlyInline):
    model = Issuance
    fields = (
        "provider",
        "wanted",
        "state",
        "external_id",
        "attempts",
        "last_error",
        "open_link",
    )


class OutboxInline(ReadOnlyInline):
    model = OutboxEvent
    fields = ("kind", "occurred_at", "published_at", "last_error", "open_link")
    verbose_name_plural = "public events"


@admin.register(UserCredential)
class UserCredentialAdmin(ReadOnlyAdmin):
    when_empty = "Nobody has earned a badge yet."
    inlines = (IssuanceInline, OutboxInline)
    list_display = ("learner", "template", "status_label", "awarded_at", "revoked_at")
    list_filter = ("status", "revocation_origin")
    list_select_related = ("learner", "template")
    search_fields = ("learner__username", "=learner__lms_user_id", "template__name", "=uuid")
    search_help_text = "Username, LMS user id, name of the badge template or id of the credential"
    fields = (
        "uuid",
        "learner",
        "template",
        "status",
        "awarded_at",
        "awarded_by_event",
        "revoked_at",
        "revoked_by_event",
        "revocation_origin",
        "revocation_reason",
        "issued_name",
        "issued_name_source",
        "replaces",
        "created",
    )

    @display(
        description="status",
        ordering="status",
        label={Status.AWARDED.value: "success", Status.REVOKED.value: "danger"},
    )
    def status_label(self, obj: UserCredential) -> tuple[str, str]:
        return obj.status, obj.get_status_display()

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """An awarded credential has nothing to say about revocation."""
        fields = super().get_fields(request, obj)
        if obj is None or not obj.live:
            return fields
        return [name for name in fields if not name.startswith("revo")]
