"""What schedules of one kind share: their source, and options of it."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.widgets import UnfoldAdminSelectWidget

from certificates import options, schedules
from certificates.admin.choosing import Choice, choose
from certificates.admin.option_fields import (
    OptionField,
    entered,
    faults_by_field,
    initial,
    option_fields,
)
from certificates.assets import StoredAssets
from certificates.generators.registry import STANDARD, complete, faults, generators
from certificates.models import CredentialType
from certificates.plugins import UnknownPluginError
from certificates.retrievers.registry import retriever, retrievers
from credentials.admin.base import LaurelAdmin, Note, display


class TypeForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    fields_of_options: tuple[OptionField, ...] = ()
    slug = ""
    generator = forms.ChoiceField(
        label="PDF generator",
        required=False,
        widget=UnfoldAdminSelectWidget(),
        help_text="Who draws PDF certificates of such schedules' badges. A layout of the badge "
        "that is in use counts more.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.update(initial(self.fields_of_options, self.instance.options))
        self.instance.retriever = self.slug
        if "generator" in self.fields:
            names = dict.fromkeys([*generators(), self.instance.generator])
            own = [(name, name) for name in names if name not in {STANDARD, ""}]
            self.fields["generator"].choices = [("", "The design of Laurel"), *own]  # type: ignore[attr-defined]

    def clean_generator(self) -> str:
        slug: str = self.cleaned_data["generator"]
        try:
            wrong = faults(slug, complete(slug, {}), assets=StoredAssets()) if slug else {}
        except UnknownPluginError as error:
            raise forms.ValidationError(str(error)) from error
        if wrong:
            raise forms.ValidationError(
                "This one needs options: choose it in a layout of the badge instead."
            )
        return slug

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        own = entered(self.fields_of_options, cleaned)
        wrong = schedules.type_faults(self.slug, own)
        for name, message in faults_by_field(self.fields_of_options, wrong):
            self.add_error(name, message)
        self.instance.options = own
        if not wrong and self.instance.pk is not None:
            for each in self.instance.schedules.all():
                for path, message in schedules.options_faults(self.instance, each.options).items():
                    self.add_error(None, f"{each} would not work any more: {path} {message}.")
        return cleaned


@admin.register(CredentialType)
class CredentialTypeAdmin(LaurelAdmin):
    list_display = ("name", "retriever", "schedule_count")
    search_fields = ("name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[CredentialType]:
        rows: QuerySet[CredentialType] = super().get_queryset(request)
        return rows.annotate(schedule_total=Count("schedules"))

    @display(description="schedules", ordering="schedule_total")
    def schedule_count(self, obj: Any) -> int:
        return int(obj.schedule_total)

    @display(description="asks")
    def asks(self, obj: CredentialType) -> str:
        return obj.retriever

    # The form

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if self.has_add_permission(request) and request.GET.get("retriever") not in retrievers():
            return choose(
                request,
                question="Whom shall schedules of this type ask?",
                parameter="retriever",
                choices=[Choice(slug, slug, _described(slug)) for slug in retrievers()],
                nothing="There is no retriever: see docs/badges/schedules.md.",
            )
        return super().add_view(request, form_url, extra_context)

    def get_notes(self, request: HttpRequest, obj: CredentialType | None) -> list[Note]:
        if obj is None:
            slug = request.GET["retriever"]
            return [Note("info", f"{slug}: {_described(slug)}")]
        try:
            retriever(obj.retriever)
        except UnknownPluginError as error:
            return [Note("error", f"The retriever {error}")]
        return []

    def get_readonly_fields(
        self, request: HttpRequest, obj: CredentialType | None = None
    ) -> tuple[str, ...]:
        return ("asks",) if obj is not None else ()

    def get_fieldsets(self, request: HttpRequest, obj: CredentialType | None = None) -> Any:
        names = [each.name for each in self._option_fields(request, obj)]
        main = ("name", *(("asks",) if obj is not None else ()), "generator")
        return (
            [(None, {"fields": main}), ("Options", {"fields": names})]
            if names
            else [(None, {"fields": main})]
        )

    def get_form(
        self,
        request: HttpRequest,
        obj: CredentialType | None = None,
        change: bool = False,
        **kwargs: Any,
    ) -> Any:
        fields = self._option_fields(request, obj)
        made: dict[str, Any] = {each.name: each.field for each in fields}
        made |= {"fields_of_options": tuple(fields), "slug": self._slug(request, obj)}
        return super().get_form(
            request, obj, change, form=type("TypeForm", (TypeForm,), made), **kwargs
        )

    def _slug(self, request: HttpRequest, obj: CredentialType | None) -> str:
        return obj.retriever if obj is not None else request.GET.get("retriever", "")

    def _option_fields(self, request: HttpRequest, obj: CredentialType | None) -> list[OptionField]:
        try:
            schema = retriever(self._slug(request, obj)).options_schema
        except UnknownPluginError:
            return []
        return list(option_fields(schema, below=options.with_defaults(schema, {})))


def _described(slug: str) -> str:
    found = retriever(slug)
    named = [
        str(part.get("title") or key)
        for key, part in found.options_schema.get("properties", {}).items()
    ]
    says = (found.options_schema.get("description", ""), f"Options: {', '.join(named) or 'none'}.")
    return " ".join(each for each in says if each)
