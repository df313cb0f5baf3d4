"""How the certificates of a template look: options, checked field by field, and a preview."""

import json
from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils import timezone
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from certificates.assets import StoredAssets
from certificates.generators.registry import STANDARD, faults, generators
from certificates.models import CertificateLayout
from certificates.options import merged
from certificates.pdf import design
from certificates.plugins import UnknownPluginError
from certificates.preview import SAMPLES, PreviewError, preview
from credentials.admin.base import LaurelAdmin, Note


class OptionsField(forms.JSONField):
    """Readable: a line for each."""

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, str | forms.fields.InvalidJSONInput):
            return value
        return json.dumps(value, ensure_ascii=False, indent=2)


class LayoutForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    options = OptionsField(
        widget=UnfoldAdminTextareaWidget(
            {"rows": 24, "spellcheck": "false", "style": "font-family: monospace"}
        ),
        help_text="See docs/badges/certificates.md. A new layout begins as the design of Laurel.",
    )
    generator = forms.ChoiceField(
        help_text="Who draws: standard, or one of your own.", widget=UnfoldAdminSelectWidget()
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "generator" in self.fields:
            names = dict.fromkeys([*generators(), self.instance.generator])
            self.fields["generator"].choices = [(name, name) for name in names]  # type: ignore[attr-defined]
        if "options" in self.fields and self.instance.pk is None:
            self.initial["options"] = merged(design.OPTIONS)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if "options" not in cleaned or "generator" not in cleaned:
            return cleaned
        try:
            wrong = faults(cleaned["generator"], cleaned["options"], assets=StoredAssets())
        except UnknownPluginError as error:
            self.add_error("generator", str(error))
        else:
            for where, text in wrong.items():
                self.add_error("options", f"{where}: {text}" if where else text)
        return cleaned


@admin.register(CertificateLayout)
class CertificateLayoutAdmin(LaurelAdmin):
    form = LayoutForm
    list_display = ("template", "generator", "in_use", "modified")
    list_filter = ("in_use", "generator")
    list_select_related = ("template",)
    search_fields = ("template__name",)
    autocomplete_fields = ("template",)
    fields = ("template", "in_use", "generator", "options")
    change_form_outer_before_template = "certificates/admin/previews.html"

    def get_notes(self, request: HttpRequest, obj: CertificateLayout | None) -> Sequence[Note]:
        if obj is None:
            text = "Save it: previews appear above. Nothing is drawn by it before it is in use."
            return (Note("info", text),)
        if not obj.in_use:
            text = "Not in use: certificates have the design of Laurel until it is"
            return (Note("warning", text),)
        return ()

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.preview_view)
        name = "certificates_certificatelayout_preview"
        return [path("<path:object_id>/preview/", view, name=name), *super().get_urls()]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        context: dict[str, Any] = {}
        if row is not None:
            has_grid = row.generator == STANDARD
            context = {"layout": row, "samples": SAMPLES, "has_grid": has_grid}
        return super().change_view(
            request, object_id, form_url, {**context, **(extra_context or {})}
        )

    def response_add(
        self, request: HttpRequest, obj: CertificateLayout, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Stays on the page, where the previews are now."""
        answer: HttpResponse = super().response_add(request, obj, post_url_continue)
        if "_addanother" in request.POST:
            return answer
        return redirect("admin:certificates_certificatelayout_change", object_id=obj.pk)

    def preview_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.get_object(request, object_id)
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        if row is None:
            raise Http404
        name = SAMPLES.get(request.GET.get("sample", ""), SAMPLES["short name"])
        try:
            data = preview(row, name=name, now=timezone.now(), grid="grid" in request.GET)
        except PreviewError as error:
            return HttpResponse(f"{error}\n", status=409, content_type="text/plain; charset=utf-8")
        return HttpResponse(data, content_type="application/pdf")
