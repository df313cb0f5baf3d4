"""The form of a schedule: when it runs, and the options of its retriever."""

from contextlib import suppress
from typing import Any, Final

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldBooleanWidget

from certificates import contexts, schedules
from certificates.admin.option_fields import OptionField, entered, faults_by_field, initial
from certificates.models import CredentialType
from certificates.plugins import UnknownPluginError
from certificates.retrievers.registry import retriever

OFTEN: Final = {"hour": "Every hour", "day": "Every day", "week": "Every week"}


class ScheduleForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    fields_of_options: tuple[OptionField, ...] = ()
    chosen: CredentialType

    often = forms.ChoiceField(label="Runs", required=False, widget=UnfoldAdminSelectWidget())
    enabled = forms.BooleanField(
        label="Switched on",
        required=False,
        widget=UnfoldBooleanWidget,
        help_text="Off: it only runs when somebody presses “Run now”.",
    )
    requires = forms.BooleanField(
        label="Add the requirement to the badge",
        required=False,
        initial=True,
        widget=UnfoldBooleanWidget,
        help_text="Without one, nobody gets the badge for being eligible here.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.update(initial(self.fields_of_options, self.instance.options))
        self.instance.type = self.chosen
        if "context_key" in self.fields:
            with suppress(UnknownPluginError):  # said when it is saved
                kinds = retriever(self.chosen.retriever).contexts
                self.fields["context_key"].help_text = f"Write {contexts.wanted(kinds)}."
        self.initial["often"] = "day"
        choices = list(OFTEN.items())
        if self.instance.pk is not None:
            task = self.instance.periodic_task
            self.initial.update(often=schedules.often(self.instance), enabled=task.enabled)
            if not self.initial["often"]:
                choices.append(("", f"As it is now: {task.scheduler}"))
        if "often" in self.fields:
            self.fields["often"].choices = choices  # type: ignore[attr-defined]

    def clean_context_key(self) -> str:
        text = str(self.cleaned_data["context_key"])
        fault = schedules.context_fault(self.chosen, text)
        if fault:
            raise forms.ValidationError(f"{fault[0].upper()}{fault[1:]}.")
        return contexts.parse(text).key

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        begins, ends = cleaned.get("not_before"), cleaned.get("not_after")
        if begins and ends and ends <= begins:
            self.add_error("not_after", "This is not after the beginning.")
        own = entered(self.fields_of_options, cleaned)
        faults = schedules.options_faults(self.chosen, own)
        for name, message in faults_by_field(self.fields_of_options, faults):
            self.add_error(name, message)
        self.instance.options = own
        return cleaned
