"""Why: the decisions, and an explanation on the page of each progress."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from badges.models import Decision, RulesVersion
from credentials.admin.base import ReadOnlyAdmin, display

_LABELS = {
    Decision.Outcome.AWARDED: "success",
    Decision.Outcome.REVOKED: "danger",
    Decision.Outcome.BLOCKED: "warning",
    Decision.Outcome.RESET: "warning",
}


@admin.register(Decision)
class DecisionAdmin(ReadOnlyAdmin):
    list_display = ("event_time", "learner", "template", "what", "shown_outcome", "event_type")
    list_filter = ("outcome",)
    list_select_related = ("learner", "template")
    search_fields = ("learner__username", "=learner__lms_user_id", "template__name")
    search_help_text = "Username, LMS user id or name of the badge template"

    def get_fields(self, request: HttpRequest, obj: Decision | None = None) -> Any:
        """Most decisions fill half of them; a transition, for instance, has counted nothing."""
        fields = [each.name for each in self.opts.concrete_fields if not each.primary_key]
        return fields if obj is None else [name for name in fields if getattr(obj, name)]

    @display(description="requirement or penalty")
    def what(self, obj: Decision) -> str:
        return obj.requirement or (f"penalty {obj.penalty}" if obj.penalty else "badge")

    @display(description="outcome", ordering="outcome", label=_LABELS)
    def shown_outcome(self, obj: Decision) -> tuple[str, str]:
        counted = f" {obj.counted}/{obj.demanded}" if obj.outcome == "counted" else ""
        return obj.outcome, f"{obj.get_outcome_display()}{counted}"


@admin.register(RulesVersion)
class RulesVersionAdmin(ReadOnlyAdmin):
    list_display = ("template", "number", "created")
    list_select_related = ("template",)
    search_fields = ("template__name",)
