"""The requirements of a template, on the template's page."""

from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest
from unfold.admin import StackedInline

from badges.admin.owners import OwnerForm, OwnerFormSet
from badges.admin.rules import RequirementRuleInline
from badges.definitions import NO_REQUIREMENTS
from badges.models import BadgeRequirement


class RequirementForm(OwnerForm):
    class Meta:
        model = BadgeRequirement
        fields = ("key", "description", "event_type", "group")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is not None and "key" in self.fields:
            self.fields["key"].disabled = True
            self.fields["key"].help_text = "Fixed: the progress of learners refers to it."


class RequirementFormSet(OwnerFormSet):
    def clean(self) -> None:
        if self.instance.is_active and not self._has_any():
            raise ValidationError(f"{NO_REQUIREMENTS} Add one, or switch “Active” off.")
        super().clean()

    def _has_any(self) -> bool:
        return any(
            not self._should_delete_form(form) and (form.instance.pk or form.has_changed())
            for form in self.forms
        )


class RequirementInline(StackedInline):
    model = BadgeRequirement
    form = RequirementForm
    formset = RequirementFormSet
    inlines = (RequirementRuleInline,)
    fields = (("key", "description"), ("event_type", "group"))
    extra = 0
    verbose_name_plural = "requirements: what a learner has to do"

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).order_by("pk")
