"""Handlers that failed: what stands open comes first, and can be replayed or dismissed."""

import json
from typing import Any

from django.contrib import admin, messages
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin

from service_signals import replay
from service_signals.models import HandlerFailure

_PRE = '<pre class="font-mono text-xs whitespace-pre-wrap break-all">{}</pre>'


@admin.register(HandlerFailure)
class HandlerFailureAdmin(ModelAdmin):
    when_empty = "Good: no handler of a service signal has failed."
    list_display = ("handler", "signal", "state", "attempts", "last_error", "failed_at")
    list_filter = ("state", "handler", "signal")
    list_per_page = 50
    show_full_result_count = False
    ordering = (F("resolved_at").asc(nulls_first=True), "-id")
    search_fields = ("=correlation_id", "handler")
    search_help_text = "Correlation id or handler"
    actions = ("replay", "dismiss")
    fields = (
        "signal",
        "handler",
        "sender",
        "arguments_text",
        "correlation_id",
        "state",
        "attempts",
        "failed_at",
        "resolved_at",
        "error_text",
    )

    @admin.display(description="last error")
    def last_error(self, obj: HandlerFailure) -> str:
        return replay.last_line(obj.error)

    @admin.display(description="error")
    def error_text(self, obj: HandlerFailure) -> SafeString:
        return format_html(_PRE, obj.error)

    @admin.display(description="arguments")
    def arguments_text(self, obj: HandlerFailure) -> SafeString | str:
        if obj.arguments is None:
            return "not kept, they were personal: this cannot be replayed"
        return format_html(_PRE, json.dumps(obj.arguments, indent=2))

    @admin.action(description="Replay", permissions=["act"])
    def replay(self, request: HttpRequest, queryset: QuerySet[HandlerFailure]) -> None:
        """Each in a transaction of its own; what fails again says why."""
        for row in queryset.order_by("id"):
            done = replay.replay(row.pk, now=timezone.now())
            good = done.verdict is replay.Verdict.REPLAYED
            text = f"{row.handler} {done.verdict.value}{f': {done.why}' if done.why else ''}"
            self.message_user(request, text, messages.SUCCESS if good else messages.ERROR)

    @admin.action(description="Dismiss: nothing more is to be done", permissions=["act"])
    def dismiss(self, request: HttpRequest, queryset: QuerySet[HandlerFailure]) -> None:
        count = replay.dismiss(queryset, now=timezone.now())
        self.message_user(request, f"{count} dismissed.", messages.SUCCESS)

    def has_act_permission(self, request: HttpRequest) -> bool:
        """May this user run actions? Nobody edits these rows by hand."""
        return bool(request.user.has_perm("service_signals.change_handlerfailure"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(super().has_view_permission(request, obj)) or self.has_act_permission(request)
