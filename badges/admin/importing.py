"""Importing a file of badge templates: what `badges_import` does, shown before it is done."""

from collections.abc import Iterator
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from unfold.widgets import UnfoldAdminFileFieldWidget

from badges.portable import importing
from badges.portable.importing import Effects, ImportRefusedError
from badges.portable.plan import Plan, Verb
from credentials.admin.base import list_page

_MEGABYTES: Final = 2  # Django takes 2.5 of what is sent again to be confirmed
_CHANGES: Final = {Verb.CREATE: "add", Verb.UPDATE: "change"}


class ImportForm(forms.Form):
    file = forms.FileField(
        label="File",
        help_text="YAML or JSON, as badges_export writes it.",
        widget=UnfoldAdminFileFieldWidget(),
        allow_empty_file=True,  # refused like any other that is no import file
    )

    def clean_file(self) -> "UploadedFile[bytes]":
        file: UploadedFile[bytes] = self.cleaned_data["file"]
        if (file.size or 0) > _MEGABYTES * 1024 * 1024:
            raise forms.ValidationError(
                f"This file is larger than {_MEGABYTES} MB. The command badges_import takes it."
            )
        return file


class TemplateImport:
    """Mixin for the admin of templates. Nothing is ever pruned here."""

    actions_list = ("import_file",)

    def has_import_permission(self, request: HttpRequest) -> bool:
        return self.has_add_permission(request) and self.has_change_permission(request)  # type: ignore[attr-defined,no-any-return]

    @list_page(description="Import", url_path="import", permissions=["import"])
    def import_file(self, request: HttpRequest) -> HttpResponse:
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),  # type: ignore[attr-defined]
            "title": "Import badge templates",
            "opts": self.opts,  # type: ignore[attr-defined]
        }
        try:
            if "text" in request.POST:
                return _confirmed(request)
            form = ImportForm(request.POST or None, request.FILES or None)
            if request.method == "POST" and form.is_valid():
                context |= _looked_through(request, form.cleaned_data["file"])
        except ImportRefusedError as error:
            form = ImportForm()
            context["refused"], *context["faults"] = str(error).splitlines()
        return TemplateResponse(request, "badges/admin/import.html", {**context, "form": form})


def _looked_through(request: HttpRequest, file: "UploadedFile[bytes]") -> dict[str, Any]:
    """What is shown and sent again. Raises ImportRefusedError."""
    text, source = importing.decode(file.read()), str(file.name)
    plan, effects = _run(request, text, source=source, dry_run=True)
    lines = [*map(str, plan.steps), *importing.in_words(effects)]
    return {
        "lines": [*lines, importing.outcome(plan, dry_run=True)],
        "text": text,
        "source": source,
    }


def _confirmed(request: HttpRequest) -> HttpResponse:
    """Raises ImportRefusedError."""
    text, source = request.POST["text"], request.POST.get("source", "")
    plan, effects = _run(request, text, source=source, dry_run=False)
    messages.success(request, f"{source}: {importing.outcome(plan, dry_run=False)}")
    for line in importing.in_words([each for each in effects if each[1].is_felt]):
        messages.info(request, line)
    return redirect("admin:credentials_badgetemplate_changelist")


def _run(request: HttpRequest, text: str, *, source: str, dry_run: bool) -> tuple[Plan, Effects]:
    """Raises ImportRefusedError."""
    with transaction.atomic():
        plan = importing.prepare(text, source=source)
        if faults := list(_not_allowed(request, plan)):
            raise importing.refusal(source, faults)
        effects = importing.carry_out(plan, now=timezone.now())
        if dry_run:
            transaction.set_rollback(True)
    return plan, effects


def _not_allowed(request: HttpRequest, plan: Plan) -> Iterator[str]:
    """An organization of the file says which key Credly is called with: not for who may only make
    templates.
    """
    for step in plan.organizations:
        verb = _CHANGES.get(step.verb)
        if verb and not request.user.has_perm(f"credentials.{verb}_credlyorganization"):
            yield f"You may not {verb} organizations: {step}"
