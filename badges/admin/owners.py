"""What requirements and penalties have in common in a form: id, event type, rules below."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.forms import PaginationInlineFormSet
from unfold.widgets import UnfoldAdminSelectWidget

from badges.admin import choices
from badges.admin.rules import refused_below
from badges.definitions import event_type_fault


class OwnerForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    event_type = forms.CharField(
        label="Event type",
        help_text="What has to happen. The data rules below narrow it.",
        widget=UnfoldAdminSelectWidget({"data-rule": "event-type"}),
        error_messages={"required": "Choose an event type."},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        stored = str(self["event_type"].value() or "")
        self.fields["event_type"].widget.choices = choices.event_types(stored)

    def clean_event_type(self) -> str:
        event_type = str(self.cleaned_data["event_type"])
        fault = event_type_fault(event_type)
        if fault is not None:
            raise ValidationError(fault)
        return event_type


class OwnerFormSet(PaginationInlineFormSet):
    """Sound only when the rules below its forms are."""

    def clean(self) -> None:
        super().clean()
        refused = [
            form["key"].value() or f"#{number}"
            for number, form in enumerate(self.forms, start=1)
            if not self._should_delete_form(form) and refused_below(form)
        ]
        if refused:
            raise ValidationError(f"A data rule has to be mended below: {', '.join(refused)}.")

    def get_unique_error_message(self, unique_check: Any) -> str:
        return f"Two {self.model._meta.verbose_name_plural} have the same id; change one of them."  # noqa: SLF001 -- Django's documented API
