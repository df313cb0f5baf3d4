"""The form of a Credly organization: a key goes in, is tried, and never comes out."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils.formats import date_format
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldBooleanWidget

from credentials.admin.trial import Trial
from credentials.models import CredlyOrganization

_VARIABLE = RegexValidator(r"^[A-Za-z_][A-Za-z0-9_]*$", "This cannot be the name of a variable.")


class OrganizationForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """`trial` is what Credly said; None: it was not asked."""

    trial: Trial | None = None

    api_key = forms.CharField(
        label="API key",
        required=False,
        widget=UnfoldAdminPasswordWidget({"autocomplete": "new-password"}),
    )
    unchecked = forms.BooleanField(
        label="Save without checking",
        required=False,
        widget=UnfoldBooleanWidget,
        help_text="For when Credly cannot be reached. A wrong key then shows at the first badge.",
    )

    class Meta:
        model = CredlyOrganization
        fields = ("uuid", "name", "api_key_env")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "api_key" in self.fields:
            self.fields["api_key"].help_text = _key_help(self.instance)
        if "uuid" in self.fields:
            self.fields["uuid"].label = "Id at Credly"
        if "name" in self.fields:
            self.fields["name"].help_text = "Leave empty to take it from Credly."
        if "api_key_env" in self.fields:
            self.fields["api_key_env"].validators.append(_VARIABLE)

    def clean_api_key(self) -> str:
        key = str(self.cleaned_data["api_key"]).strip()
        if not key.isascii() or not key.isprintable() or {" ", ":"} & set(key):
            raise ValidationError("This cannot be a key: it has spaces, colons or odd characters.")
        return key

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        key, variable = cleaned.get("api_key"), cleaned.get("api_key_env")
        if key and variable:
            self.add_error("api_key_env", "Enter a key or name a variable, not both.")
        elif not key and not variable and not self.instance.api_key_encrypted:
            self.add_error("api_key", "Enter the key, or name the variable that holds it.")
        elif self.trial is not None and self.trial.fault:
            self.add_error("api_key_env" if variable else "api_key", self.trial.fault)
        if self.trial is not None and not cleaned.get("name"):
            cleaned["name"] = self.trial.name
        return cleaned

    def needs_trial(self) -> bool:
        """Is the form sound so far, and does it change what opens the account?"""
        return (
            self.is_valid()
            and not self.cleaned_data.get("unchecked")
            and not {"uuid", "api_key", "api_key_env"}.isdisjoint(self.changed_data)
        )


def _key_help(organization: CredlyOrganization) -> str:
    if not organization.api_key_encrypted:
        return "It is tried at Credly, stored encrypted and never shown again."
    since = organization.api_key_set_at
    when = f" since {date_format(since, 'DATETIME_FORMAT')}" if since else ""
    return f"A key is stored{when}; leave this empty to keep it."
