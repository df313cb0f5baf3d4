"""Awarding and revoking by hand: one page, reached from learners and from progress."""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from unfold.widgets import (
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from badges import by_hand
from credentials.models import BadgeTemplate, Learner, UserCredential


class ByHandForm(forms.Form):
    verb = forms.ChoiceField(
        label="What",
        choices=[("award", "Award the badge"), ("revoke", "Revoke the badge")],
        widget=UnfoldAdminRadioSelectWidget(),
    )
    username = forms.CharField(
        label="Learner",
        help_text="The username. Nobody can be awarded a badge whom no event ever named.",
        widget=UnfoldAdminTextInputWidget(),
    )
    template = forms.ModelChoiceField(
        label="Badge template",
        queryset=BadgeTemplate.objects.order_by("name"),
        widget=UnfoldAdminSelectWidget(),
    )
    reason = forms.CharField(
        label="Reason",
        help_text="Kept with the decision. That of a revocation is told to the provider and to "
        "whoever checks the certificate; your name is not.",
        widget=UnfoldAdminTextareaWidget({"rows": 3}),
    )

    penalties_apply = forms.BooleanField(
        label="Penalties may revoke an award",
        required=False,
        help_text="Otherwise no penalty of the template takes it away.",
        widget=UnfoldBooleanWidget(),
    )

    def clean_username(self) -> Learner:
        found = Learner.objects.filter(username=self.cleaned_data["username"].strip())
        learner = found.order_by("-profile_time", "-id").first()
        if learner is None:
            raise forms.ValidationError("No learner has this username.")
        return learner


def _carry_out(
    entered: dict[str, Any], learner: Learner, template: BadgeTemplate, *, by: str
) -> UserCredential:
    reason, now = entered["reason"], timezone.now()
    if entered["verb"] == "revoke":
        return by_hand.revoke(learner, template, reason=reason, by=by, now=now)
    return by_hand.award(
        learner,
        template,
        reason=reason,
        by=by,
        now=now,
        penalties_apply=entered["penalties_apply"],
    )


def by_hand_view(request: HttpRequest) -> HttpResponse:
    if not request.user.has_perm("credentials.change_usercredential"):
        raise PermissionDenied
    form = ByHandForm(request.POST or None, initial=request.GET.dict())
    if request.method == "POST" and form.is_valid():
        learner = cast("Learner", form.cleaned_data["username"])
        template = cast("BadgeTemplate", form.cleaned_data["template"])
        try:
            with transaction.atomic():
                credential = _carry_out(
                    form.cleaned_data, learner, template, by=request.user.get_username()
                )
        except by_hand.NothingToDoError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"{learner}: {template} is {credential.status}.")
            return redirect("admin:credentials_usercredential_change", object_id=credential.pk)
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": "Award or revoke by hand",
        "form": form,
    }
    return TemplateResponse(request, "badges/admin/by_hand.html", context)
