"""Schedules: who is asked about what, how often, with which options; run now, who would get it."""

from collections.abc import Sequence
from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from badges.admin.edits import RuleEdits
from certificates import options, runs, schedules
from certificates.access import reach_of
from certificates.admin.choosing import Choice, choose
from certificates.admin.option_fields import OptionField, option_fields
from certificates.admin.schedule_form import OFTEN, ScheduleForm
from certificates.models import CredentialType, EligibilitySchedule, ScheduleRun
from certificates.plugins import UnknownPluginError
from certificates.retrievers.registry import retriever
from credentials.admin.base import LaurelAdmin, Note, display
from credentials.models.run import UNFINISHED

Kind = ScheduleRun.Kind
_NOTHING_WAITS = (
    "No requirement of the badge waits for this schedule: whoever is eligible gets nothing. Add a "
    "requirement on “Eligibility evaluated” to the badge template."
)
_INACTIVE = "The badge template is not active: what this schedule finds does not count yet."


@admin.register(EligibilitySchedule)
class EligibilityScheduleAdmin(RuleEdits, LaurelAdmin):
    list_display = ("context_key", "type", "template", "state_label", "last_run")
    list_filter = ("type", "periodic_task__enabled")
    list_select_related = ("type", "template", "periodic_task")
    search_fields = ("context_key", "template__name", "type__name")
    autocomplete_fields = ("template",)
    actions = ("run_now", "who_would_get_it")
    buttons = ("run_now", "who_would_get_it")

    # Who may

    def has_module_permission(self, request: HttpRequest) -> bool:
        return reach_of(request).sees_some

    def has_view_permission(
        self, request: HttpRequest, obj: EligibilitySchedule | None = None
    ) -> bool:
        reach = reach_of(request)
        return reach.sees_some if obj is None else reach.sees(obj.course_key)

    def has_change_permission(
        self, request: HttpRequest, obj: EligibilitySchedule | None = None
    ) -> bool:
        reach = reach_of(request)
        return reach.changes_some if obj is None else reach.changes(obj.course_key)

    def has_act_permission(self, request: HttpRequest) -> bool:
        return reach_of(request).changes_some

    def get_queryset(self, request: HttpRequest) -> QuerySet[EligibilitySchedule]:
        newest = ScheduleRun.objects.filter(schedule=OuterRef("pk")).order_by("-pk")
        rows: QuerySet[EligibilitySchedule] = super().get_queryset(request)
        return rows.filter(reach_of(request).within()).annotate(
            last_state=Subquery(newest.values("state")[:1]),
            last_at=Subquery(newest.values("requested_at")[:1]),
        )

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> EligibilitySchedule | None:
        """Also a foreign one: that it is foreign is refused then, instead of denied to exist."""
        if not str(object_id).isdecimal():
            return None
        rows = EligibilitySchedule.objects.select_related("type", "template", "periodic_task")
        return rows.filter(pk=object_id).first()

    # The list

    @display(description="schedule", label={"on": "success", "off": "info"})
    def state_label(self, obj: EligibilitySchedule) -> tuple[str, str]:
        task = obj.periodic_task
        how_often = OFTEN.get(schedules.often(obj), str(task.scheduler))
        return ("on", how_often) if task.enabled else ("off", "Off")

    @display(
        description="last run",
        label={
            ScheduleRun.State.DONE.value: "success",
            ScheduleRun.State.FAILED.value: "danger",
            ScheduleRun.State.SKIPPED.value: "warning",
        },
    )
    def last_run(self, obj: Any) -> Any:
        if obj.last_state is None:
            return None
        return obj.last_state, f"{ScheduleRun.State(obj.last_state).label}, {obj.last_at:%Y-%m-%d}"

    # The form

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if self.has_add_permission(request) and self._chosen(request, None) is None:
            return choose(
                request,
                question="What kind of schedule is it?",
                parameter="type",
                choices=[
                    Choice(str(each.pk), each.name, f"Asks {each.retriever}.")
                    for each in CredentialType.objects.all()
                ],
                nothing="A schedule needs a type: it says whom to ask.",
                elsewhere=reverse("admin:certificates_credentialtype_add"),
                elsewhere_label="Add a type",
            )
        return super().add_view(request, form_url, extra_context)

    def get_readonly_fields(
        self, request: HttpRequest, obj: EligibilitySchedule | None = None
    ) -> tuple[str, ...]:
        """Evidence of learners rests on what a schedule asks for which badge: that stays."""
        return () if obj is None else (*self._fixed(request), "context_key", "history")

    def _fixed(self, request: HttpRequest) -> tuple[str, str]:
        """With links to their pages for those who may open them."""
        opens = request.user.has_perm("certificates.view_credentialtype")
        reads = request.user.has_perm("credentials.view_badgetemplate")
        return "type" if opens else "type_name", "template" if reads else "template_name"

    @display(description="type")
    def type_name(self, obj: EligibilitySchedule) -> str:
        return str(obj.type)

    @display(description="badge template")
    def template_name(self, obj: EligibilitySchedule) -> str:
        return str(obj.template)

    def get_fieldsets(self, request: HttpRequest, obj: EligibilitySchedule | None = None) -> Any:
        names = [each.name for each in self._option_fields(request, obj)]
        if obj is None:
            main: tuple[str, ...] = ("template", "context_key", "requires")
            times: tuple[str, ...] = ("often", "not_before", "not_after")
        else:
            main = (*self._fixed(request), "context_key", "history")
            times = ("enabled", "often", "not_before", "not_after")
        found: list[Any] = [(None, {"fields": main}), ("When", {"fields": times})]
        return [*found, ("Options", {"fields": names})] if names else found

    def get_form(
        self,
        request: HttpRequest,
        obj: EligibilitySchedule | None = None,
        change: bool = False,
        **kwargs: Any,
    ) -> Any:
        fields = self._option_fields(request, obj)
        made: dict[str, Any] = {each.name: each.field for each in fields}
        made |= {"fields_of_options": tuple(fields), "chosen": self._chosen(request, obj)}
        form = type("ScheduleForm", (ScheduleForm,), made)
        return super().get_form(request, obj, change, form=form, **kwargs)

    def _chosen(
        self, request: HttpRequest, obj: EligibilitySchedule | None
    ) -> CredentialType | None:
        if obj is not None:
            return obj.type
        asked = request.GET.get("type", "")
        return CredentialType.objects.filter(pk=asked).first() if asked.isdecimal() else None

    def _option_fields(
        self, request: HttpRequest, obj: EligibilitySchedule | None
    ) -> Sequence[OptionField]:
        chosen = self._chosen(request, obj)
        try:
            schema = retriever(chosen.retriever if chosen else "").options_schema
        except UnknownPluginError:
            return []
        below = options.with_defaults(schema, chosen.options if chosen else {})
        return option_fields(schema, below=below)

    @display(description="runs")
    def history(self, obj: EligibilitySchedule) -> str:
        count = obj.runs.count()
        if not count:
            return "It never ran."
        url = reverse("admin:certificates_schedulerun_changelist")
        url = f"{url}?schedule__id__exact={obj.pk}"
        shown = "Show 1 run" if count == 1 else f"Show {count:,} runs"
        return format_html('<a class="text-primary-600" href="{}">{}</a>', url, shown)

    def get_notes(self, request: HttpRequest, obj: EligibilitySchedule | None) -> Sequence[Note]:
        if obj is None:
            chosen = self._chosen(request, None)
            return [Note("info", f"{chosen}: asks {chosen.retriever}.")] if chosen else []
        notes = []
        running = obj.runs.filter(state__in=UNFINISHED).first()
        if running is not None:
            far = "waits for a worker"
            if running.state == ScheduleRun.State.RUNNING:
                far = f"{running.evaluated} evaluated so far"
            notes.append(Note("info", f"{running.get_kind_display()}: {far}."))
        if not obj.template.is_active:
            notes.append(Note("warning", _INACTIVE))
        if not schedules.is_required(obj):
            notes.append(Note("warning", _NOTHING_WAITS))
        for path, message in schedules.options_faults(obj.type, obj.options).items():
            notes.append(Note("error", f"Its options do not fit any more: {path} {message}"))
        return notes

    # Saving and deleting

    def save_model(
        self, request: HttpRequest, obj: EligibilitySchedule, form: Any, change: bool
    ) -> None:
        often = form.cleaned_data.get("often", "")
        if change:
            super().save_model(request, obj, form, change)
            if {"enabled", "often"} & set(form.changed_data):
                on = form.cleaned_data.get("enabled", obj.periodic_task.enabled)
                schedules.switch(obj, on=on, often=often)
            return
        schedules.create(obj, often=often or "day")
        if form.cleaned_data["requires"]:
            schedules.require(obj)
            self.rules_changed(request, [obj.template_id])

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Counts, not a list of every run."""
        rows = EligibilitySchedule.objects.filter(pk__in=[each.pk for each in objs])
        below = ScheduleRun.objects.filter(schedule__in=rows.values("pk"))
        counts = {"schedules": rows.count(), "periodic tasks": rows.count(), "runs": below.count()}
        allowed = self.has_delete_permission(request)
        return [str(each) for each in objs], counts, set() if allowed else {"schedule"}, []

    def delete_model(self, request: HttpRequest, obj: EligibilitySchedule) -> None:
        schedules.delete(EligibilitySchedule.objects.filter(pk=obj.pk))

    def delete_queryset(
        self, request: HttpRequest, queryset: QuerySet[EligibilitySchedule]
    ) -> None:
        schedules.delete(queryset)

    # Actions

    @admin.action(description="Run now", permissions=["act"])
    def run_now(
        self, request: HttpRequest, queryset: QuerySet[EligibilitySchedule]
    ) -> HttpResponse:
        return self._start(request, queryset, kind=Kind.RUN)

    @admin.action(description="Who would get it?", permissions=["act"])
    def who_would_get_it(
        self, request: HttpRequest, queryset: QuerySet[EligibilitySchedule]
    ) -> HttpResponse:
        return self._start(request, queryset, kind=Kind.REHEARSAL)

    def _start(
        self, request: HttpRequest, rows: QuerySet[EligibilitySchedule], *, kind: Kind
    ) -> HttpResponse:
        asked = list(rows)
        if not all(self.has_change_permission(request, each) for each in asked):
            raise PermissionDenied
        started = [runs.request(each, kind=kind, now=timezone.now()) for each in asked]
        if len(started) == 1:
            return redirect("admin:certificates_schedulerun_change", object_id=started[0].pk)
        messages.success(request, f"{len(started)} runs wait for a worker.")
        return cast("HttpResponse", redirect("admin:certificates_schedulerun_changelist"))
