"""Penalties: on the page of their template, and as a section of their own."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path, reverse
from unfold.admin import StackedInline
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from badges import editing
from badges.admin import choices
from badges.admin.edits import RuleEdits
from badges.admin.owners import OwnerForm, OwnerFormSet
from badges.admin.rules import PenaltyRuleInline, RulePage
from badges.admin.siblings import siblings
from badges.definitions import FOREIGN_RESET, NO_RESETS
from badges.models import BadgePenalty, BadgeRequirement
from credentials.admin.base import LaurelAdmin, display
from credentials.models import BadgeTemplate


class PenaltyForm(OwnerForm):
    """`resets` names requirements by their ids: on the template's page they may be as new as the
    penalty itself. `resettable`: id and label of the requirements to choose from.
    """

    resets = forms.MultipleChoiceField(
        label="Resets",
        help_text="Which requirements the learner has to meet again; at least one.",
        widget=UnfoldAdminCheckboxSelectMultipleWidget({"data-rule": "resets"}),
        error_messages={"required": NO_RESETS, "invalid_choice": FOREIGN_RESET},
    )

    class Meta:
        model = BadgePenalty
        fields = ("key", "description", "event_type")

    def __init__(self, *args: Any, resettable: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "key" in self.fields:
            self.fields["key"].help_text = "Short and unique in the template: failed-intro."
        if "resets" in self.fields:
            self.fields["resets"].choices = resettable  # type: ignore[attr-defined]
            if self.instance.pk is not None:
                self.initial["resets"] = [each.key for each in self.instance.requirements.all()]

    def _save_m2m(self) -> None:
        super()._save_m2m()  # type: ignore[misc]  # Django's hook for what needs the saved row
        if "resets" in self.cleaned_data:
            wanted = BadgeRequirement.objects.filter(
                template_id=self.instance.template_id, key__in=self.cleaned_data["resets"]
            )
            self.instance.requirements.set(wanted)


class PenaltyFormSet(OwnerFormSet):
    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        if not hasattr(self, "_resettable"):
            posted = self.data if self.is_bound else None
            self._resettable = resettable(self.instance, posted)
        return {**super().get_form_kwargs(index), "resettable": self._resettable}


def resettable(template: Any, posted: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """Id and label of the template's requirements."""
    return [(each.key, each.label) for each in siblings(template, posted)]


class _ShowsResets:
    """Mixin: `resets` for those who may only look."""

    def resets(self, obj: BadgePenalty) -> str:
        return ", ".join(each.key for each in obj.requirements.all())


class PenaltyInline(_ShowsResets, StackedInline):
    model = BadgePenalty
    form = PenaltyForm
    formset = PenaltyFormSet
    inlines = (PenaltyRuleInline,)
    fields = (("key", "description"), "event_type", "resets")
    extra = 0
    verbose_name_plural = "penalties: what takes requirements away again"

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("requirements").order_by("pk")


class PenaltyPageForm(PenaltyForm):
    """A penalty on a page of its own. `resets` offers the requirements of the chosen template."""

    class Meta:
        model = BadgePenalty
        fields = ("template", "key", "description", "event_type")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, resettable=(), **kwargs)
        template = self._template()
        if template is not None and "resets" in self.fields:
            self.fields["resets"].choices = resettable(template, None)  # type: ignore[attr-defined]

    def _template(self) -> BadgeTemplate | None:
        if self.instance.pk is not None:
            return cast("BadgeTemplate", self.instance.template)
        chosen = str(self["template"].value() or "") if "template" in self.fields else ""
        return BadgeTemplate.objects.filter(pk=chosen).first() if chosen.isdecimal() else None


@admin.register(BadgePenalty)
class BadgePenaltyAdmin(RuleEdits, _ShowsResets, RulePage, LaurelAdmin):
    form = PenaltyPageForm
    inlines = (PenaltyRuleInline,)
    fields = ("template", ("key", "description"), "event_type", "resets")
    autocomplete_fields = ("template",)
    list_display = ("__str__", "template", "what", "resets", "is_matched")
    list_filter = ("template__is_active",)
    list_select_related = ("template",)
    search_fields = ("key", "description", "template__name")

    def picker_extras(self) -> dict[str, Any]:
        return {"requirements_url": reverse("admin:badges_badgepenalty_requirements")}

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.requirements_view)
        name = "badges_badgepenalty_requirements"
        return [path("requirements/", view, name=name), *super().get_urls()]

    def requirements_view(self, request: HttpRequest) -> HttpResponse:
        """What a new penalty of `?template=` can reset."""
        if not (self.has_add_permission(request) or self.has_change_permission(request)):
            raise PermissionDenied
        chosen = request.GET.get("template", "")
        template = BadgeTemplate.objects.filter(pk=chosen).first() if chosen.isdecimal() else None
        found = resettable(template, None) if template is not None else []
        return JsonResponse(
            {"requirements": [{"key": key, "label": label} for key, label in found]}
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[BadgePenalty]:
        rows: QuerySet[BadgePenalty] = super().get_queryset(request)
        return rows.prefetch_related("requirements")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[str]:
        return ("template",) if obj is not None else ()

    @display(description="event type", ordering="event_type")
    def what(self, obj: BadgePenalty) -> str:
        return choices.event_type_label(obj.event_type)

    @display(description="template active", boolean=True)
    def is_matched(self, obj: BadgePenalty) -> bool:
        return obj.template.is_active

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        self.rules_changed(request, [form.instance.template_id])

    def delete_model(self, request: HttpRequest, obj: BadgePenalty) -> None:
        super().delete_model(request, obj)
        self.rules_changed(request, [obj.template_id])

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[BadgePenalty]) -> None:
        with editing.edit():
            templates = list(queryset.values_list("template_id", flat=True))
            super().delete_queryset(request, queryset)
            self.rules_changed(request, templates)
