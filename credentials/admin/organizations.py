"""Credly organizations: whose keys are used, and in which state their accounts are."""

from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.formats import date_format
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldBooleanWidget

from credentials.admin.base import LaurelAdmin, Note, display
from credentials.admin.trial import Trial, try_key
from credentials.models import CredlyOrganization
from credentials.providers.credly import account, templates
from credly_client.errors import CredlyError

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
    return f"A key is stored{when}. Leave empty to keep it."


@admin.register(CredlyOrganization)
class CredlyOrganizationAdmin(LaurelAdmin):
    form = OrganizationForm
    fields = ("uuid", "name", "api_key", "api_key_env", "unchecked", "synced_at")
    readonly_fields = ("synced_at",)
    list_display = ("__str__", "uuid", "key", "situation", "template_count", "synced_at")
    search_fields = ("name", "uuid")
    actions = ("synchronise", "resume")
    buttons = ("synchronise", "resume")

    def get_queryset(self, request: HttpRequest) -> QuerySet[CredlyOrganization]:
        rows: QuerySet[CredlyOrganization] = super().get_queryset(request)
        return rows.annotate(template_total=Count("templates"))

    @display(description="key")
    def key(self, obj: CredlyOrganization) -> str:
        if obj.api_key_env:
            return f"variable {obj.api_key_env}"
        return "stored" if obj.api_key_encrypted else "missing"

    @display(description="account", label={"paused": "danger", "in use": "success"})
    def situation(self, obj: CredlyOrganization) -> str:
        return "paused" if obj.paused_reason else "in use"

    @display(description="templates", ordering="template_total")
    def template_count(self, obj: Any) -> int:
        return int(obj.template_total)

    def get_notes(self, request: HttpRequest, obj: CredlyOrganization | None) -> Sequence[Note]:
        if obj is None or not obj.paused_reason:
            return ()
        help_text = "Enter the right key and save, or press “Resume” when the key is right again."
        return (
            Note("error", f"Paused: nothing is sent to Credly, badges wait. {obj.paused_reason}"),
            Note("info", help_text),
        )

    def get_buttons(self, request: HttpRequest, obj: CredlyOrganization) -> Sequence[str]:
        return self.buttons if obj.paused_reason else ("synchronise",)

    # Saving

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Django saves inside a transaction; Credly has to be asked before it begins."""
        if request.method == "POST":
            request.laurel_trial = self._trial(request, object_id)  # type: ignore[attr-defined]
        page = super().changeform_view(request, object_id, form_url, extra_context)
        return cast("HttpResponse", page)

    def _trial(self, request: HttpRequest, object_id: str | None) -> Trial | None:
        obj = self.get_object(request, object_id) if object_id else None
        allowed = (
            self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        )
        if not allowed or (object_id and obj is None):
            return None
        form = self.get_form(request, obj, change=obj is not None)(request.POST, instance=obj)
        if not form.needs_trial():
            return None
        return try_key(form.instance, key=form.cleaned_data["api_key"])

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        form.trial = getattr(request, "laurel_trial", None)
        return form

    def save_model(
        self, request: HttpRequest, obj: CredlyOrganization, form: Any, change: bool
    ) -> None:
        key = form.cleaned_data["api_key"]
        if key:
            account.store_key(obj, key=key, now=timezone.now())
            return
        if obj.api_key_env:  # the variable takes the place of a stored key: keep no second secret
            obj.api_key_encrypted, obj.api_key_set_at = "", None
        if form.trial is not None:
            obj.paused_reason = ""
        super().save_model(request, obj, form, change)

    # Actions

    @admin.action(description="Synchronise templates", permissions=["change"])
    def synchronise(self, request: HttpRequest, queryset: QuerySet[CredlyOrganization]) -> None:
        for organization in queryset:
            if organization.paused_reason:
                text = f"{organization} is paused: resume it first."
                self.message_user(request, text, messages.ERROR)
                continue
            try:
                found = templates.sync(organization, clock=timezone.now)
            except (ValueError, CredlyError) as error:  # ValueError: there is no usable key
                self._report_failure(request, organization, error)
                continue
            text = (
                f"{organization}: {found.created} new (inactive), {found.changed} changed, "
                f"{found.unchanged} unchanged, {found.archived} archived."
            )
            self.message_user(request, text, messages.SUCCESS)

    def _report_failure(
        self, request: HttpRequest, organization: CredlyOrganization, error: Exception
    ) -> None:
        refused = not isinstance(error, CredlyError) or error.account_wide
        if refused:
            account.pause(organization, reason=str(error))
        text = f"{organization}: {error}{' The account is paused.' if refused else ' Try again.'}"
        self.message_user(request, text, messages.ERROR)

    @admin.action(description="Resume", permissions=["change"])
    def resume(self, request: HttpRequest, queryset: QuerySet[CredlyOrganization]) -> None:
        paused = [each for each in queryset if each.paused_reason]
        for organization in paused:
            account.resume(organization)
        text = f"{len(paused)} resumed. What waited is sent within seconds."
        self.message_user(request, text, messages.SUCCESS)
