"""What schedules found: how far a run is, what came out, what went wrong."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.text import Truncator

from certificates.access import reach_of
from certificates.models import ScheduleFinding, ScheduleRun
from credentials.admin.base import Note, ReadOnlyInline, display
from credentials.admin.running import RunAdmin
from credentials.models.run import UNFINISHED

State = ScheduleRun.State
Kind = ScheduleRun.Kind
_SHORT = 120  # characters of a reason in the list


class FindingInline(ReadOnlyInline):
    model = ScheduleFinding
    fields = ("learner", "kind", "reason")
    readonly_fields = ("learner",)
    verbose_name_plural = "learners"

    @display(description="learner")
    def learner(self, obj: ScheduleFinding) -> str:
        return str(obj)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return reach_of(request).sees_some


@admin.register(ScheduleRun)
class ScheduleRunAdmin(RunAdmin):
    inlines = (FindingInline,)
    list_display = (
        "requested_at",
        "schedule",
        "kind_label",
        "state_label",
        "result",
        "took",
    )
    list_filter = ("kind", "state", "schedule__type")
    list_select_related = ("schedule__type",)
    search_fields = ("schedule__context_key",)
    fields = (
        "schedule",
        "kind",
        "state",
        "error",
        "evaluated",
        "eligible",
        "awarded",
        "skipped",
        "failed",
        "requested_at",
        "started_at",
        "took",
    )
    readonly_fields = ("took",)
    left_out_when_empty = ("error",)

    # Who may

    def has_module_permission(self, request: HttpRequest) -> bool:
        return reach_of(request).sees_some

    def has_view_permission(self, request: HttpRequest, obj: ScheduleRun | None = None) -> bool:
        reach = reach_of(request)
        return reach.sees_some if obj is None else reach.sees(obj.schedule.course_key)

    def has_delete_permission(self, request: HttpRequest, obj: ScheduleRun | None = None) -> bool:
        """Only together with its schedule: Django asks here too when that one goes."""
        match = request.resolver_match
        own_page = match is not None and (match.url_name or "").startswith(
            "certificates_schedulerun"
        )
        return not own_page and request.user.has_perm("certificates.delete_eligibilityschedule")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ScheduleRun]:
        rows: QuerySet[ScheduleRun] = super().get_queryset(request)
        return rows.filter(reach_of(request).within("schedule__course_key"))

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> ScheduleRun | None:
        """Also a foreign one: that it is foreign is refused then, instead of denied to exist."""
        if not str(object_id).isdecimal():
            return None
        return ScheduleRun.objects.select_related("schedule__type").filter(pk=object_id).first()

    # The list

    @display(description="result")
    def result(self, obj: ScheduleRun) -> str:
        told = _in_words(obj) if obj.state in {State.RUNNING, State.DONE} else ""
        return " ".join(each for each in (told, Truncator(obj.error).chars(_SHORT)) if each)

    @display(description="took")
    def took(self, obj: ScheduleRun) -> str:
        return "" if obj.duration is None else f"{obj.duration.total_seconds():.1f} s"

    # One run

    def get_inlines(self, request: HttpRequest, obj: ScheduleRun | None) -> Any:
        return self.inlines if obj is not None and obj.findings.exists() else ()

    def progress(self, obj: ScheduleRun) -> str:
        return _in_words(obj)

    def get_notes(self, request: HttpRequest, obj: ScheduleRun) -> Sequence[Note]:
        if obj.state in UNFINISHED:
            return super().get_notes(request, obj)
        if obj.state == State.FAILED:
            return (Note("error", obj.error),)
        if obj.state == State.SKIPPED:
            return (Note("warning", f"Skipped. {obj.error}"),)
        done = Note("info", f"Done: {_in_words(obj)}")
        return (done, Note("warning", obj.error)) if obj.error else (done,)


def _in_words(run: ScheduleRun) -> str:
    """`3 evaluated, 2 eligible, 2 awarded`"""
    verb = "would be awarded" if run.kind == Kind.REHEARSAL else "awarded"
    counts = [
        (run.evaluated, "evaluated"),
        (run.eligible, "eligible"),
        (run.awarded, verb),
        (run.skipped, "known already"),
        (run.failed, "could not be judged"),
    ]
    return ", ".join(f"{number} {what}" for number, what in counts if number) or "nobody yet"
