"""How many requirements of a group are demanded, on the template's page."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.admin import TabularInline
from unfold.forms import PaginationInlineFormSet

from badges.admin.siblings import siblings
from badges.definitions import Shape, shape_faults
from badges.models import RequirementGroup


class GroupForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    class Meta:
        model = RequirementGroup
        fields = ("label", "required")
        labels = {"label": "Group", "required": "How many are demanded"}
        help_texts = {"label": "As it is written at the requirements."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "required" in self.fields:
            self.fields["required"].initial = 2  # one is what every group demands anyway


class GroupFormSet(PaginationInlineFormSet):
    """Judged against the requirements as they are being saved."""

    def clean(self) -> None:
        super().clean()
        others = siblings(self.instance, self.data)
        shapes = [Shape(each.key, event_type="", group=each.group) for each in others]
        known = {each.group for each in others}
        by_label = {form.instance.label: form for form in self.forms if self._counts(form)}
        required = {label: form.instance.required for label, form in by_label.items()}
        refused = []
        for fault in shape_faults(shapes, groups=required):
            if fault.field != "required":
                continue  # said at the requirement
            form, field = by_label[fault.key], "required" if fault.key in known else "label"
            if form.add_prefix(field) in self.data:
                form.add_error(field, fault.message)
            else:  # somebody may change requirements, but of groups only look at them
                refused.append(f"{fault.key}: {fault.message}.")
        if refused:
            raise ValidationError(refused)

    def _counts(self, form: Any) -> bool:
        """Is it being saved, and sound by itself?"""
        is_kept = form.instance.pk is not None or form.has_changed()
        return is_kept and not form.errors and not self._should_delete_form(form)

    def get_unique_error_message(self, unique_check: Any) -> str:
        return "One group stands here twice; remove one of the two rows."


class GroupInline(TabularInline):
    model = RequirementGroup
    form = GroupForm
    formset = GroupFormSet
    fields = ("label", "required")
    extra = 0
    verbose_name = "group"
    verbose_name_plural = "groups of which more than one is demanded"
    show_title = False
    if hasattr(TabularInline, "hide_title"):
        hide_title = True  # its name in older versions of unfold
