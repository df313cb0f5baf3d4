"""Penalties: on the page of their template, and as a section of their own."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django import forms
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from unfold.admin import StackedInline
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from badges.admin.owners import OwnerForm, OwnerFormSet
from badges.admin.rules import PenaltyRuleInline
from badges.definitions import FOREIGN_RESET, NO_RESETS
from badges.models import BadgePenalty, BadgeRequirement

REQUIREMENTS: Final = "requirements"  # prefix of the requirements on the template's page


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
    """Id and label of the template's requirements: as they are being posted on its page, else as
    they are stored.
    """
    stored = {}
    if template.pk is not None:
        stored = {str(each.pk): (each.key, str(each)) for each in template.requirements.all()}
    total = posted.get(f"{REQUIREMENTS}-TOTAL_FORMS", "") if posted else ""
    if not posted or not total.isdecimal():
        return list(stored.values())
    found: dict[str, str] = {}
    for number in range(min(int(total), forms.formsets.DEFAULT_MAX_NUM)):
        row = f"{REQUIREMENTS}-{number}"
        if not posted.get(f"{row}-DELETE"):
            key, label = stored.get(posted.get(f"{row}-id", ""), ("", ""))
            key = key or posted.get(f"{row}-key", "").strip()
            found[key] = posted.get(f"{row}-description", "").strip() or label or key
    found.pop("", None)
    return list(found.items())


class PenaltyInline(StackedInline):
    model = BadgePenalty
    form = PenaltyForm
    formset: type[BaseInlineFormSet[Any, Any, Any]] = PenaltyFormSet
    inlines = (PenaltyRuleInline,)
    fields = (("key", "description"), "event_type", "resets")
    extra = 0
    verbose_name_plural = "penalties: what takes requirements away again"

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("requirements").order_by("pk")
