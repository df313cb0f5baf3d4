from django.contrib import admin
from unfold.admin import ModelAdmin

from tests.notifier.models import Notification


@admin.register(Notification)
class NotificationAdmin(ModelAdmin):
    list_display = ("uuid", "credential_uuid", "attempts", "sent_at", "last_error")
