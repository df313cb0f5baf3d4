"""What each learner has fulfilled of each template, to look at."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from badges.accounts import held_of
from badges.models import BadgeProgress
from badges.rulebook import compile_one
from badges.rules.book import Requirement, Template
from badges.rules.progress import Held, standing
from credentials.admin.base import ReadOnlyAdmin, display
from credentials.models import BadgeTemplate, UserCredential

_MOST_TEMPLATES = 50


class TemplateFilter(admin.SimpleListFilter):
    """A few templates to click on, and in any case the chosen one. The search finds the others:
    a list of thousands of names would help nobody.
    """

    title = "badge template"
    parameter_name = "template__id__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        rows = BadgeTemplate.objects.order_by("-is_active", "name", "id")
        found = {str(pk): name for pk, name in rows.values_list("pk", "name")[:_MOST_TEMPLATES]}
        chosen = self.value()
        if chosen and chosen.isdecimal() and chosen not in found:
            found |= {
                str(pk): name for pk, name in rows.filter(pk=chosen).values_list("pk", "name")
            }
        return list(found.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        return queryset.filter(template_id=chosen) if chosen and chosen.isdecimal() else queryset


@admin.register(BadgeProgress)
class BadgeProgressAdmin(ReadOnlyAdmin):
    list_display = ("learner", "template", "complete", "completed_at", "modified")
    list_filter = ("complete", TemplateFilter)
    list_select_related = ("learner", "template")
    search_fields = ("learner__username", "=learner__lms_user_id", "template__name")
    search_help_text = "Username, LMS user id or name of the badge template"
    fields = ("learner", "template", "complete", "completed_at", "credential", "standing")

    @display(description="credential")
    def credential(self, obj: BadgeProgress) -> str:
        newest = (
            UserCredential.objects.filter(learner_id=obj.learner_id, template_id=obj.template_id)
            .order_by("-id")
            .first()
        )
        if newest is None:
            return "none"
        blocked = (
            obj.complete and not newest.live and obj.template.reissue == BadgeTemplate.Reissue.NEVER
        )
        why = " It is not awarded again, because the template says: never reissue."
        return f"{newest.get_status_display()}.{why if blocked else ''}"

    @display(description="requirements")
    def standing(self, obj: BadgeProgress) -> SafeString:
        held = held_of(obj, obj.fulfillments.select_related("requirement"))
        template = compile_one(obj.template)
        found = standing(template, held=held)
        texts = dict(obj.template.requirements.values_list("key", "description"))
        rows = [
            _row(each, held, description=texts.get(each.key, ""), template=template)
            for each in template.requirements
        ]
        return SafeString(
            render_to_string("badges/admin/standing.html", {"rows": rows, "standing": found})
        )


def _row(
    requirement: Requirement, held: Held, *, description: str, template: Template
) -> dict[str, Any]:
    alternatives = sum(each.group == requirement.group for each in template.requirements)
    return {
        "key": requirement.key,
        "description": description,
        "group": requirement.group if alternatives > 1 else "",
        "evidence": held.evidence.get(requirement.key),
        "reset_at": held.resets.get(requirement.key),
        "disabled": requirement.disabled,
    }
