"""The requirements of a template, on the template's page."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from unfold.admin import StackedInline
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminSelectWidget

from badges.admin import choices
from badges.admin.owners import OwnerForm, OwnerFormSet
from badges.admin.rules import RequirementRuleInline
from badges.admin.siblings import Sibling, siblings
from badges.definitions import NO_REQUIREMENTS, Shape, requirement_type_fault, shape_faults
from badges.models import BadgeRequirement


class RequirementForm(OwnerForm):
    """`after` names requirements by their ids: they may be as new as this one. `others`: all
    requirements of the template.
    """

    distinct_by = forms.CharField(
        label="Different by",
        required=False,
        help_text="Only events that differ in this value count: the course key, for example, "
        "demands different courses. An event without the value does not count.",
        widget=UnfoldAdminSelectWidget({"data-rule": "distinct-by"}),
    )
    after = forms.MultipleChoiceField(
        label="After",
        required=False,
        help_text="Only what happens after these were fulfilled counts.",
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        error_messages={"invalid_choice": "%(value)s is no other requirement of this template."},
    )

    class Meta:
        model = BadgeRequirement
        fields = (
            "key",
            "description",
            "event_type",
            "group",
            "count",
            "distinct_by",
            "within",
            "after",
        )

    def __init__(self, *args: Any, others: Sequence[Sibling], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "key" not in self.fields:  # somebody who may only look
            return
        if self.instance.pk is not None:
            self.fields["key"].disabled = True
            self.fields["key"].help_text = "Fixed: the progress of learners refers to it."
            self.initial["after"] = [each.key for each in self.instance.after.all()]
        event_type = str(self["event_type"].value() or "")
        stored = str(self["distinct_by"].value() or "")
        self.fields["distinct_by"].widget.choices = choices.values(event_type, stored)
        own = str(self["key"].value() or "").strip()
        self.fields["after"].choices = [  # type: ignore[attr-defined]
            (each.key, each.label) for each in others if each.key != own
        ]
        self.fields["group"].help_text = (
            "Requirements with the same label are alternatives: one is enough, unless more are "
            "demanded below. Empty: must be met itself."
        )
        self.fields["count"].label = "How often"
        self.fields["count"].required = False

    def clean_event_type(self) -> str:
        event_type = str(self.cleaned_data["event_type"])
        fault = requirement_type_fault(event_type)
        if fault is not None:
            raise ValidationError(fault)
        return event_type

    def clean_count(self) -> int:
        count = self.cleaned_data["count"]
        return 1 if count is None else int(count)

    def clean_within(self) -> str:
        return str(self.cleaned_data["within"]).strip().upper()

    @property
    def shape(self) -> Shape:
        """As far as its fields are sound."""
        row = self.instance
        return Shape(
            key=row.key,
            event_type=row.event_type,
            group=row.group,
            count=row.count,
            distinct_by=row.distinct_by,
            within=row.within,
            after=tuple(self.cleaned_data.get("after", ())),
        )

    def _save_m2m(self) -> None:
        """The order is saved when every requirement has its row; see RequirementFormSet."""


class RequirementFormSet(OwnerFormSet):
    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        if not hasattr(self, "_others"):
            self._others = siblings(self.instance, self.data if self.is_bound else None)
        return {**super().get_form_kwargs(index), "others": self._others}

    def clean(self) -> None:
        if self.instance.is_active and not self._kept():
            raise ValidationError(f"{NO_REQUIREMENTS} Add one, or switch “Active” off.")
        self._check_shapes()
        super().clean()

    def _kept(self) -> list[Any]:
        return [
            form
            for form in self.forms
            if not self._should_delete_form(form) and (form.instance.pk or form.has_changed())
        ]

    def _check_shapes(self) -> None:
        """Blames what was entered here; the groups are checked at their own place."""
        forms_of = {form.instance.key: form for form in self._kept()}
        for fault in shape_faults([form.shape for form in forms_of.values()], groups={}):
            form = forms_of[fault.key]
            if form.add_prefix(fault.field) in self.data and fault.field not in form.errors:
                form.add_error(fault.field, fault.message)

    def save(self, commit: bool = True) -> Any:
        saved = super().save(commit=commit)
        changed = [form for form in self._kept() if "after" in form.changed_data]
        if commit and changed:
            rows = {
                each.key: each for each in BadgeRequirement.objects.filter(template=self.instance)
            }
            for form in changed:
                form.instance.after.set([rows[key] for key in form.cleaned_data["after"]])
        return saved


class RequirementInline(StackedInline):
    model = BadgeRequirement
    form = RequirementForm
    formset = RequirementFormSet
    inlines = (RequirementRuleInline,)
    fieldsets = (
        (None, {"fields": (("key", "description"), ("event_type", "group"))}),
        (
            "More than once, or in a certain order",
            {"classes": ("collapse",), "fields": (("count", "within"), "distinct_by", "after")},
        ),
    )
    extra = 0
    verbose_name_plural = "requirements: what a learner has to do"

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("after").order_by("pk")
