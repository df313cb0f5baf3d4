"""What was done for whole Credly organizations: how far it is, what came out, what went wrong."""

from collections.abc import Sequence
from typing import Any, cast

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from credentials.admin.base import Note, display
from credentials.admin.running import RunAdmin
from credentials.models import CredlyRun
from credentials.models.run import UNFINISHED, in_words
from credentials.providers.credly import runs
from credentials.providers.credly.comparison import FIXES

State = CredlyRun.State
Kind = CredlyRun.Kind


@admin.register(CredlyRun)
class CredlyRunAdmin(RunAdmin):
    when_empty = "Nothing ran yet: the page of an organization starts it, and so does every night."
    list_display = ("kind_label", "organization", "state_label", "result", "requested_at")
    list_filter = ("kind", "state", "organization")
    list_select_related = ("organization",)
    actions = ("fix",)
    buttons = ("fix",)
    fields = (
        "kind",
        "organization",
        "state",
        "result",
        "message",
        "differences_link",
        "requested_at",
        "started_at",
        "finished_at",
    )
    readonly_fields = ("result", "differences_link")
    left_out_when_empty = ("message",)

    @display(description="result")
    def result(self, obj: CredlyRun) -> str:
        return in_words(obj.counts)

    @display(description="differences")
    def differences_link(self, obj: CredlyRun) -> str:
        count = obj.differences.count()
        if not count:
            return "None of this run: only those of the newest comparison are kept."
        url = reverse("admin:credentials_difference_changelist")
        url = f"{url}?organization__id__exact={obj.organization_id}"
        shown = "Show 1 difference" if count == 1 else f"Show {count:,} differences"
        return format_html('<a class="text-primary-600" href="{}">{}</a>', url, shown)

    def get_fields(self, request: HttpRequest, obj: CredlyRun | None = None) -> Any:
        """A synchronisation finds no differences."""
        hidden = {"differences_link"} if obj is not None and obj.kind == Kind.SYNC else set()
        return [name for name in super().get_fields(request, obj) if name not in hidden]

    def progress(self, obj: CredlyRun) -> str:
        return in_words(obj.counts) or "just started"

    def get_notes(self, request: HttpRequest, obj: CredlyRun) -> Sequence[Note]:
        if obj.state in UNFINISHED:
            return super().get_notes(request, obj)
        if obj.state == State.DONE:
            return (Note("info", f"Done: {in_words(obj.counts)}"),)
        level = "warning" if obj.state == State.STOPPED else "error"
        return (Note(level, obj.message or str(obj.get_state_display())),)

    def get_buttons(self, request: HttpRequest, obj: CredlyRun) -> Sequence[str]:
        compared = obj.kind == Kind.COMPARE and obj.state == State.DONE
        fixable = compared and obj.differences.filter(kind__in=FIXES).exists()
        return self.buttons if fixable else ()

    @admin.action(description="Compare again and fix", permissions=["act"])
    def fix(self, request: HttpRequest, queryset: QuerySet[CredlyRun]) -> HttpResponse:
        started = [
            runs.request(each.organization, kind=Kind.FIX, now=timezone.now())
            for each in queryset.select_related("organization")
        ]
        if len(started) == 1:
            return redirect("admin:credentials_credlyrun_change", object_id=started[0].pk)
        return cast("HttpResponse", redirect("admin:credentials_credlyrun_changelist"))
