"""Credly organizations: whose keys are used, and in which state their accounts are."""

from collections.abc import Sequence
from typing import Any, Final, cast

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html

from credentials.admin.base import Note, display
from credentials.admin.issuing import IssuingActions, notes_of
from credentials.admin.organization_form import OrganizationForm
from credentials.admin.trial import Trial, try_key
from credentials.models import CredlyOrganization, CredlyRun
from credentials.providers.credly import account, keys, runs
from credentials.providers.credly.keys import Rotation

Kind = CredlyRun.Kind
_COPYABLE: Final = (
    '<span class="flex flex-row gap-2 max-w-2xl">'
    '<input readonly value="{}" onfocus="this.select()" class="grow border border-base-200 '
    'rounded-default px-3 py-2 dark:border-base-700">'
    '<button type="button" class="border border-base-200 rounded-default px-3 py-2 cursor-pointer '
    'dark:border-base-700" onclick="navigator.clipboard.writeText('
    "this.previousElementSibling.value); this.textContent = 'Copied'\">Copy</button></span>"
    '<span class="block mt-2 text-xs">{}</span>'
)
# Of no use, or not meant, for those who may only look.
_TO_ENTER: Final = ("api_key", "unchecked", "webhook_address")
_ROTATION_UNKNOWN: Final = (
    "A rotation of the key began and its outcome is not known. If Credly refuses the key, copy "
    "the new one from the organization's settings at Credly and enter it here."
)


@admin.register(CredlyOrganization)
class CredlyOrganizationAdmin(IssuingActions):
    form = OrganizationForm
    fields = (
        "uuid",
        "name",
        "api_key",
        "api_key_env",
        "unchecked",
        "webhook_address",
        "synced_at",
    )
    readonly_fields = ("webhook_address", "synced_at")
    list_display = ("__str__", "uuid", "key", "situation", "template_count", "synced_at")
    search_fields = ("name", "uuid")
    actions = (
        *("synchronise", "compare", "rotate_key", "resume"),
        *("pause_issuing", "resume_issuing", "try_now"),
    )
    buttons = actions

    def get_queryset(self, request: HttpRequest) -> QuerySet[CredlyOrganization]:
        rows: QuerySet[CredlyOrganization] = super().get_queryset(request)
        return rows.annotate(template_total=Count("templates"))

    @display(
        description="key",
        label={"missing": "danger", "over": "danger", "soon": "warning", "good": "default"},
    )
    def key(self, obj: CredlyOrganization) -> tuple[str, str]:
        if not obj.api_key_env and not obj.api_key_encrypted:
            return "missing", "missing"
        where = f"variable {obj.api_key_env}" if obj.api_key_env else "stored"
        left = keys.days_left(obj, now=timezone.now())
        if left is None or left > keys.WARNING.days:
            return "good", where if left is None else f"{where}, {left} days left"
        return ("soon", f"{where}, {left} days left") if left >= 0 else ("over", f"{where}, over")

    @display(description="templates", ordering="template_total")
    def template_count(self, obj: Any) -> int:
        return int(obj.template_total)

    @display(description="webhook address")
    def webhook_address(self, obj: CredlyOrganization) -> str:
        """The address holds the secret: it is for those who may enter a key."""
        if not settings.CREDLY_WEBHOOK_SECRET:
            return "The webhook is off: set CREDLY_WEBHOOK_SECRET."
        path = reverse("credly-webhook", args=[settings.CREDLY_WEBHOOK_SECRET])
        return format_html(
            _COPYABLE,
            settings.PUBLIC_BASE_URL.rstrip("/") + path,
            "Enter it at Credly as the webhook of this organization. It is the same for every "
            "organization, and as secret as a key.",
        )

    def get_fields(self, request: HttpRequest, obj: CredlyOrganization | None = None) -> Any:
        if self.has_change_permission(request, obj):
            return self.fields
        return [name for name in self.fields if name not in _TO_ENTER]

    def get_notes(self, request: HttpRequest, obj: CredlyOrganization | None) -> Sequence[Note]:
        if obj is None:
            return ()
        notes = list(notes_of(obj))
        if obj.paused_reason:
            help_text = (
                "Nothing is sent to Credly, badges wait. Enter the right key and save, or press "
                "“Resume” when the key is right again."
            )
            notes.append(Note("info", help_text))
        elif obj.rotation_started_at is not None:
            notes.append(Note("warning", _ROTATION_UNKNOWN))
        notes += _key_notes(obj)
        last = obj.runs.first()
        if last is not None:
            text = f"Last run, {date_format(last.requested_at, 'DATETIME_FORMAT')}: {last.summary}"
            notes.append(Note("info", text))
        return notes

    def get_buttons(self, request: HttpRequest, obj: CredlyOrganization) -> Sequence[str]:
        issuing = self.buttons_of_issuing(obj)
        if obj.paused_reason:
            return ("resume", *issuing)
        own = () if obj.api_key_env else ("rotate_key",)
        return ("synchronise", "compare", *own, *issuing)

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
        if "api_key_env" in form.changed_data:
            account.forget_former_key(obj)
        if form.trial is not None:
            obj.paused_reason = ""
        super().save_model(request, obj, form, change)

    # Actions

    @admin.action(description="Synchronise templates", permissions=["start"])
    def synchronise(
        self, request: HttpRequest, queryset: QuerySet[CredlyOrganization]
    ) -> HttpResponse | None:
        return self._start(request, queryset, kind=Kind.SYNC)

    @admin.action(description="Compare badges", permissions=["start"])
    def compare(
        self, request: HttpRequest, queryset: QuerySet[CredlyOrganization]
    ) -> HttpResponse | None:
        return self._start(request, queryset, kind=Kind.COMPARE)

    def has_start_permission(self, request: HttpRequest) -> bool:
        """May this user start runs? It takes no right to change the organization and its key."""
        may_add: bool = request.user.has_perm("credentials.add_credlyrun")
        return may_add or bool(self.has_change_permission(request))

    def _start(
        self, request: HttpRequest, queryset: QuerySet[CredlyOrganization], *, kind: Kind
    ) -> HttpResponse | None:
        """A worker carries it out; a single one leads to the page that shows how far it is."""
        started = []
        for organization in queryset:
            if organization.paused_reason:
                text = f"{organization} is paused: resume it first."
                self.message_user(request, text, messages.ERROR)
                continue
            started.append(runs.request(organization, kind=kind, now=timezone.now()))
        if len(started) == 1 and len(queryset) == 1:
            return redirect("admin:credentials_credlyrun_change", object_id=started[0].pk)
        if started:
            text = f"{len(started)} started. “Runs” shows how far they are."
            self.message_user(request, text, messages.SUCCESS)
        return None

    @admin.action(description="Rotate key", permissions=["change"])
    def rotate_key(
        self, request: HttpRequest, queryset: QuerySet[CredlyOrganization]
    ) -> HttpResponse | None:
        if len(queryset) != 1:
            self.message_user(request, "One organization at a time.", messages.ERROR)
            return None
        organization = queryset.get()
        if "confirmed" not in request.POST:
            return self._ask(request, organization)
        result = keys.rotate(organization, clock=timezone.now)
        done = result.rotation is Rotation.DONE
        self.message_user(request, result.text, messages.SUCCESS if done else messages.ERROR)
        return None

    def _ask(self, request: HttpRequest, organization: CredlyOrganization) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": f"Rotate the key of {organization}",
            "opts": self.opts,
            "organization": organization,
            "action": reverse(
                f"admin:{self._button_url_name}", args=[organization.pk, "rotate_key"]
            ),
        }
        return render(request, "credentials/admin/rotate_key.html", context)

    @admin.action(description="Resume", permissions=["change"])
    def resume(self, request: HttpRequest, queryset: QuerySet[CredlyOrganization]) -> None:
        paused = [each for each in queryset if each.paused_reason]
        for organization in paused:
            account.resume(organization)
        text = f"{len(paused)} resumed. What waited is sent within seconds."
        self.message_user(request, text, messages.SUCCESS)


def _key_notes(organization: CredlyOrganization) -> Sequence[Note]:
    left = keys.days_left(organization, now=timezone.now())
    if left is None or left > keys.WARNING.days:
        return ()
    if left < 0:
        return (Note("error", "The key is over: Credly refuses keys after 180 days."),)
    text = f"The key ends in {left} days: rotate it, or enter a new one from Credly."
    return (Note("warning", text),)
