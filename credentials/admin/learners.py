"""Learners, as the events describe them."""

from django.contrib import admin

from credentials.admin.base import ReadOnlyAdmin, ReadOnlyInline
from credentials.models import Learner, UserCredential


class CredentialInline(ReadOnlyInline):
    model = UserCredential
    fields = ("template", "status", "awarded_at", "revoked_at", "open_link")
    verbose_name_plural = "credentials"


@admin.register(Learner)
class LearnerAdmin(ReadOnlyAdmin):
    inlines = (CredentialInline,)
    list_display = ("__str__", "lms_user_id", "name", "email", "is_active", "profile_time")
    list_filter = ("is_active",)
    ordering = ("-id",)
    search_fields = ("username", "=lms_user_id", "email", "name")
    search_help_text = "Username, LMS user id, e-mail address or name"
    fields = (
        "username",
        "lms_user_id",
        "name",
        "email",
        "is_active",
        "profile_time",
        "uuid",
        "created",
    )
