"""What keeps an organization from issuing, in plain words, and what a person can do about it."""

from collections.abc import Sequence

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from unfold.widgets import UnfoldAdminTextareaWidget

from credentials import dispatch
from credentials.admin.base import LaurelAdmin, Note, display
from credentials.issuing import breaker
from credentials.models import CredlyOrganization


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label="Why",
        help_text="Shown to everybody who wonders why no badge arrives.",
        widget=UnfoldAdminTextareaWidget({"rows": 3}),
    )


def notes_of(organization: CredlyOrganization | None) -> Sequence[Note]:
    """Why nothing is issued, if so; for the page of an organization and of its badges."""
    if organization is None:
        return ()
    notes = []
    if organization.paused_reason:
        text = f"The account of {organization} is paused: {organization.paused_reason}"
        notes.append(Note("error", text))
    if organization.issuing_paused_at is not None:
        since = date_format(timezone.localtime(organization.issuing_paused_at), "DATETIME_FORMAT")
        text = (
            f"Issuing for {organization} was paused by {organization.issuing_paused_by} on "
            f"{since}: {organization.issuing_paused_reason}"
        )
        notes.append(Note("warning", text))
    if organization.breaker_until is not None:
        notes.append(Note("warning", _in_trouble(organization)))
    return notes


def _in_trouble(organization: CredlyOrganization) -> str:
    failure = organization.last_failure.rstrip(".")
    until = date_format(timezone.localtime(organization.breaker_until), "H:i:s")
    return (
        f"Credly fails for {organization}: {organization.failures} calls in a row, the last one: "
        f"{failure}. What is due waits and loses no attempt. The next call is made at {until}; "
        "once one works all others follow"
    )


class IssuingActions(LaurelAdmin):
    """Of the pages of organizations."""

    @display(
        description="account",
        label={
            "paused": "danger",
            "paused by hand": "warning",
            "Credly fails": "warning",
            "in use": "success",
        },
    )
    def situation(self, obj: CredlyOrganization) -> str:
        if obj.paused_reason:
            return "paused"
        if obj.issuing_paused_at is not None:
            return "paused by hand"
        return "in use" if obj.breaker_until is None else "Credly fails"

    def buttons_of_issuing(self, obj: CredlyOrganization) -> Sequence[str]:
        pausing = "pause_issuing" if obj.issuing_paused_at is None else "resume_issuing"
        waits = obj.breaker_until is not None and obj.breaker_until > timezone.now()
        return (pausing, *(("try_now",) if waits else ()))

    @admin.action(description="Pause issuing", permissions=["change"])
    def pause_issuing(
        self, request: HttpRequest, queryset: QuerySet[CredlyOrganization]
    ) -> HttpResponse | None:
        if len(queryset) != 1:
            self.message_user(request, "One organization at a time.", messages.ERROR)
            return None
        organization = queryset.get()
        form = ReasonForm(request.POST if "reason" in request.POST else None)
        if not form.is_valid():
            return self._ask_why(request, organization, form)
        reason = form.cleaned_data["reason"]
        queryset.update(
            issuing_paused_at=timezone.now(),
            issuing_paused_by=request.user.get_username(),
            issuing_paused_reason=reason,
        )
        self.log_change(request, organization, f"Paused issuing: {reason}")
        self.message_user(request, "Paused. What is due waits.", messages.SUCCESS)
        return None

    def _ask_why(
        self, request: HttpRequest, organization: CredlyOrganization, form: ReasonForm
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": f"Pause issuing for {organization}",
            "opts": self.opts,
            "organization": organization,
            "form": form,
            "action": reverse(
                f"admin:{self._button_url_name}", args=[organization.pk, "pause_issuing"]
            ),
        }
        return render(request, "credentials/admin/pause_issuing.html", context)

    @admin.action(description="Resume issuing", permissions=["change"])
    def resume_issuing(self, request: HttpRequest, queryset: QuerySet[CredlyOrganization]) -> None:
        paused = list(queryset.filter(issuing_paused_at__isnull=False))
        queryset.filter(pk__in=[each.pk for each in paused]).update(
            issuing_paused_at=None, issuing_paused_by="", issuing_paused_reason=""
        )
        for each in paused:
            self.log_change(request, each, "Resumed issuing")
        if paused:
            dispatch.issue()
        text = f"{len(paused)} resumed. What waited is sent within seconds."
        self.message_user(request, text, messages.SUCCESS)

    @admin.action(description="Try now", permissions=["change"])
    def try_now(self, request: HttpRequest, queryset: QuerySet[CredlyOrganization]) -> None:
        moved = [each for each in queryset if breaker.try_now(each.pk, now=timezone.now())]
        if moved:
            dispatch.issue()
        text = f"{len(moved)} will be tried with one call. Reload to see what came of it."
        self.message_user(request, text, messages.SUCCESS)
