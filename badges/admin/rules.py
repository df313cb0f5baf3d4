"""Data rules in a form: a row of key path, operator and value below a requirement or penalty.

The picker in the browser only helps to choose; what counts is checked here, in the place where
it was entered, with the same function that the import and `manage.py check` use.
"""

from typing import Any, cast

from django import forms
from django.http import HttpRequest, HttpResponse
from unfold.admin import TabularInline
from unfold.forms import PaginationInlineFormSet
from unfold.widgets import CHECKBOX_CLASSES, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from badges.admin import choices
from badges.definitions import event_type_fault, rule_fault
from badges.models import DataRule, PenaltyDataRule
from badges.rules.conditions import DataRule as WrittenRule


class RuleForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """`event_type`: that of the requirement or penalty above, as entered or as stored."""

    path = forms.CharField(
        label="Key path",
        help_text="Which value of the event is looked at. Choose the event type first.",
        widget=UnfoldAdminSelectWidget({"data-rule": "path"}),
        error_messages={"required": "Choose a key path."},
    )
    operator = forms.CharField(
        label="Operator",
        widget=UnfoldAdminSelectWidget({"data-rule": "operator"}),
        error_messages={"required": "Choose an operator."},
    )
    # Neither stripped nor required: a space may be what is looked for, and some take no value.
    value = forms.CharField(
        label="Value",
        strip=False,
        required=False,
        help_text="Several values are separated by commas.",
        widget=UnfoldAdminTextInputWidget({"data-rule": "value"}),
    )

    class Meta:
        fields = ("path", "operator", "value")

    def __init__(self, *args: Any, event_type: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.event_type = event_type
        path = str(self["path"].value() or "")
        operator = str(self["operator"].value() or "")
        self.fields["path"].widget.choices = choices.paths(event_type, path)
        self.fields["operator"].widget.choices = choices.operators(event_type, path, operator)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        complete = {"path", "operator", "value"} <= set(cleaned)
        if not complete or event_type_fault(self.event_type) is not None:
            return cleaned  # said at its own place already
        rule = WrittenRule(cleaned["path"], cleaned["operator"], cleaned["value"])
        refused = rule_fault(self.event_type, rule)
        if refused is not None:
            self.add_error(refused.field, refused.message)
        return cleaned


class RuleFormSet(PaginationInlineFormSet):
    """The rules of one requirement or penalty. It reads its owner's event type from the posted
    form, so that a rule is checked against what is being saved.
    """

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        return {**super().get_form_kwargs(index), "event_type": self.event_type}

    @property
    def event_type(self) -> str:
        posted = self.data.get(self._owner_field("event_type")) if self.is_bound else None
        return str(posted if posted is not None else self.instance.event_type or "")

    def _should_delete_form(self, form: forms.BaseForm) -> bool:
        """What stands below an owner that is being deleted goes with it, sound or not."""
        owner_goes = self.is_bound and bool(self.data.get(self._owner_field("DELETE")))
        return owner_goes or bool(super()._should_delete_form(form))

    def _owner_field(self, name: str) -> str:
        """Our prefix is `requirements-0-rules` below an inline, `rules` on a page of its own."""
        owner, _, _ = self.prefix.rpartition("-")
        return f"{owner}-{name}" if owner else name


def refused_below(form: forms.BaseForm) -> bool:
    """Was a rule refused below this requirement or penalty of an inline?"""
    below = getattr(form, "nested_formsets", ())
    return any(not each.formset.is_valid() for each in below)


class RulePage:
    """Mixin for the admin of a page with data rules: the picker's script and what it offers."""

    change_form_outer_after_template = "badges/admin/rule_picker.html"

    class Media:
        js = ("badges/admin/rules.js",)

    def picker_extras(self) -> dict[str, Any]:
        """What else the script needs on this page."""
        return {}

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        offered = {**choices.picker(), "checkbox_class": " ".join(CHECKBOX_CLASSES)}
        context = {"rule_picker": {**offered, **self.picker_extras()}, **(extra_context or {})}
        page = super().changeform_view(request, object_id, form_url, context)  # type: ignore[misc]
        return cast("HttpResponse", page)


class _RuleInline(TabularInline):
    form = RuleForm
    formset = RuleFormSet
    fields = ("path", "operator", "value")
    extra = 0
    verbose_name = "data rule"
    verbose_name_plural = "data rules: all must hold"
    show_title = False
    if hasattr(TabularInline, "hide_title"):
        hide_title = True  # its name in older versions of unfold


class RequirementRuleInline(_RuleInline):
    model = DataRule


class PenaltyRuleInline(_RuleInline):
    model = PenaltyDataRule
