"""What each learner has fulfilled of each template, to look at."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import URLPattern, path
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from badges.accounts import held_of
from badges.admin.staff import by_hand_view
from badges.explain import explain, history
from badges.models import BadgeProgress, BadgeRequirement
from badges.rulebook import compile_one
from badges.rules.book import Requirement, Template
from badges.rules.progress import Held, Standing, standing
from credentials.admin.base import Note, ReadOnlyAdmin, display
from credentials.models import BadgeTemplate, UserCredential

_MOST_TEMPLATES = 50
_MOST_EVIDENCE = 3  # of one requirement


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
    when_empty = "No event has met a requirement yet."
    list_display = ("learner", "template", "complete", "completed_at", "modified")
    list_filter = ("complete", TemplateFilter)
    list_select_related = ("learner", "template")
    search_fields = ("learner__username", "=learner__lms_user_id", "template__name")
    search_help_text = "Username, LMS user id or name of the badge template"
    fields = ("learner", "template", "complete", "completed_at", "credential", "standing", "why")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(by_hand_view)
        return [path("by_hand/", view, name="badges_by_hand"), *super().get_urls()]

    def get_notes(self, request: HttpRequest, obj: BadgeProgress | None) -> Sequence[Note]:
        if obj is None:
            return ()
        return (Note("info", explain(obj.learner, obj.template).verdict),)

    @display(description="what happened")
    def why(self, obj: BadgeProgress) -> SafeString:
        return format_html_join(
            "",
            '<div class="mb-1">{}</div>',
            ((line,) for line in history(obj.learner, obj.template)),
        )

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
        held = held_of(obj, obj.fulfillments.all())
        template = compile_one(obj.template)
        found = standing(template, held=held)
        stored = {each.key: each for each in obj.template.requirements.all()}
        names = {key: str(each) for key, each in stored.items()}
        shared = {label for label in template.groups if len(_members(template, label)) > 1}
        context = {
            "standing": found,
            "groups": [_group(template, label, found) for label in sorted(shared)],
            "rows": [
                _row(each, stored[each.key], held, found)
                | {
                    "group": each.group if each.group in shared else "",
                    "after": [
                        {"name": names[key], "met": key in found.fulfilled} for key in each.after
                    ],
                }
                for each in template.requirements
            ],
        }
        return SafeString(render_to_string("badges/admin/standing.html", context))


def _members(template: Template, label: str) -> list[Requirement]:
    return [each for each in template.requirements if each.group == label]


def _group(template: Template, label: str, found: Standing) -> dict[str, Any]:
    """How much of a group is met: `met` of `required`, of `size` to choose from."""
    members = _members(template, label)
    met = sum(each.key in found.fulfilled for each in members)
    required = template.groups[label]
    return {
        "label": label,
        "met": min(met, required),
        "required": required,
        "size": len(members),
        "is_met": met >= required,
    }


def _row(
    requirement: Requirement, stored: BadgeRequirement, held: Held, found: Standing
) -> dict[str, Any]:
    """What one requirement demands and how far the learner got; the newest evidence first."""
    tally = found.tallies[requirement.key]
    evidence = held.evidence.get(requirement.key, ())
    return {
        "key": requirement.key,
        "description": stored.description,
        "demanded": requirement.demand.count,
        "distinct_by": stored.distinct_by,
        "within": stored.within,
        "counted": tally.counted,
        "fulfilled": tally.fulfilled,
        "pin": held.pins.get(requirement.key),
        "evidence": evidence[: -_MOST_EVIDENCE - 1 : -1],
        "older": max(0, len(evidence) - _MOST_EVIDENCE),
        "reset_at": held.resets.get(requirement.key),
        "disabled": requirement.disabled,
    }
