"""Badge templates, with everything that makes them earned and lost, on one page."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db import models
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextareaWidget

from badges import editing
from badges.admin.choices import event_type_label
from badges.admin.deleting import TemplateDeletion
from badges.admin.edits import RuleEdits
from badges.admin.groups import GroupInline
from badges.admin.importing import TemplateImport
from badges.admin.penalties import PenaltyInline
from badges.admin.pictures import VIEW, ShowsPicture, picture_view
from badges.admin.preset import preset_view
from badges.admin.requirements import RequirementInline
from badges.admin.rules import RulePage
from badges.definitions import stored_faults
from badges.models import BadgePenalty, BadgeRequirement
from badges.presets import TIMED_NEVER_VERIFIED, waits_in_vain
from credentials.admin.base import LaurelAdmin, Note, display
from credentials.models import BadgeTemplate, UserCredential
from credly_client.types import TemplateState
from events import arrivals

NO_ORGANIZATION = "Choose the organization on whose behalf Credly issues."
_FROM_CREDLY = (
    "Badge templates of Credly need not be entered: open the organization and press "
    "“Synchronise templates”, then add requirements here."
)
_ISSUING = "Issuing"
_PROVIDER_LABELS = {"credly": "Credly", "open_badges": "Open Badges", "pdf": "PDF certificate"}


class TemplateForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    providers = forms.MultipleChoiceField(
        label="Issued by",
        required=False,
        help_text="None: the award is kept in this service only.",
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )

    class Meta:
        widgets = {"description": UnfoldAdminTextareaWidget({"rows": 3})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "providers" in self.fields:
            names = {**settings.PROVIDERS, **dict.fromkeys(self.instance.providers)}
            self.fields["providers"].choices = [  # type: ignore[attr-defined]
                (name, _PROVIDER_LABELS.get(name, name)) for name in names
            ]
        if self.instance.provider_state:  # overwritten by each synchronisation
            for name in {"name", "description", "image_url"} & self.fields.keys():
                self.fields[name].disabled = True
                self.fields[name].help_text = "Comes from Credly: change it there."
        if "uuid" in self.fields:
            self.fields["uuid"].label = "Id"
            self.fields["uuid"].help_text = "For Credly: the id of the badge template there."
            if self.instance.pk is not None and self.instance.credentials.exists():
                self.fields["uuid"].disabled = True

    def clean_providers(self) -> list[str]:
        """In the order of the settings: equal choices are stored equally."""
        chosen = self.cleaned_data["providers"]
        return [name for name, _ in self.fields["providers"].choices if name in chosen]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if "credly" in cleaned.get("providers", ()) and not cleaned.get("organization"):
            self.add_error("organization", NO_ORGANIZATION)
        return cleaned


def _count(model: Any, field: str = "template") -> Any:
    """A count of its own per row: joins of several counts would multiply them."""
    rows = model.objects.filter(**{field: OuterRef("pk")}).order_by().values(field)
    return Coalesce(Subquery(rows.annotate(count=Count("pk")).values("count")), 0)


@admin.register(BadgeTemplate)
class BadgeTemplateAdmin(
    RuleEdits, TemplateDeletion, TemplateImport, ShowsPicture, RulePage, LaurelAdmin
):
    form = TemplateForm
    inlines = (RequirementInline, GroupInline, PenaltyInline)
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
    list_display = (
        "thumbnail",
        "name",
        "organization",
        "is_active",
        "at_credly",
        "requirement_count",
        "penalty_count",
        "credential_count",
    )
    list_display_links = ("name",)
    list_filter = ("is_active", "provider_state", "organization")
    list_select_related = ("organization",)
    search_fields = ("name", "uuid")
    actions = ("activate", "deactivate", "add_preset")
    buttons = ("activate", "deactivate", "add_preset")
    readonly_fields = ("picture",)
    fieldsets = (
        (None, {"fields": ("name", "description", "is_active")}),
        (_ISSUING, {"fields": ("providers", "organization", "uuid", "image_url")}),
        ("Again, and in which name", {"fields": ("reissue", "name_policy")}),
    )

    # The list

    def get_queryset(self, request: HttpRequest) -> QuerySet[BadgeTemplate]:
        rows: QuerySet[BadgeTemplate] = super().get_queryset(request)
        return rows.annotate(
            requirement_total=_count(BadgeRequirement),
            penalty_total=_count(BadgePenalty),
            credential_total=_count(UserCredential),
        )

    @display(
        description="state at Credly",
        ordering="provider_state",
        label={
            TemplateState.ACTIVE: "success",
            TemplateState.DRAFT: "warning",
            TemplateState.ARCHIVED: "danger",
        },
    )
    def at_credly(self, obj: BadgeTemplate) -> str:
        return obj.provider_state

    @display(description="requirements", ordering="requirement_total")
    def requirement_count(self, obj: Any) -> int:
        return int(obj.requirement_total)

    @display(description="penalties", ordering="penalty_total")
    def penalty_count(self, obj: Any) -> int:
        return int(obj.penalty_total)

    @display(description="credentials", ordering="credential_total")
    def credential_count(self, obj: Any) -> int:
        return int(obj.credential_total)

    # One template

    def get_notes(self, request: HttpRequest, obj: BadgeTemplate | None) -> Sequence[Note]:
        if obj is None:
            return (Note("info", _FROM_CREDLY),)
        notes = [Note("warning", obj.note)] if obj.note and not obj.is_active else []
        if "credly" in obj.providers and obj.provider_state not in {"", TemplateState.ACTIVE}:
            text = f"At Credly this template is {obj.provider_state}: it cannot be issued there."
            notes.append(Note("warning", text))
        return [*notes, *_vain(obj), *_unheard(obj)]

    def get_buttons(self, request: HttpRequest, obj: BadgeTemplate) -> Sequence[str]:
        return ("deactivate" if obj.is_active else "activate", "add_preset")

    def get_fieldsets(self, request: HttpRequest, obj: BadgeTemplate | None = None) -> Any:
        """With the picture below its address, where there is one."""
        found = super().get_fieldsets(request, obj)
        if obj is None or not obj.image:
            return found
        return [
            (title, {**more, "fields": (*more["fields"], "picture")} if title == _ISSUING else more)
            for title, more in found
        ]

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        preset, picture = wrap(self.preset_page), wrap(partial(picture_view, self))
        return [
            path("<path:object_id>/preset/", preset, name="credentials_badgetemplate_preset"),
            path("<path:object_id>/picture/", picture, name=VIEW),
            *super().get_urls(),
        ]

    def preset_page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.with_effects(request, lambda: preset_view(self, request, object_id))

    def save_model(self, request: HttpRequest, obj: BadgeTemplate, form: Any, change: bool) -> None:
        if obj.is_active:
            obj.note = ""
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        template = form.instance
        shown_there_anyway = "_continue" in request.POST
        for note in () if shown_there_anyway else (*_vain(template), *_unheard(template)):
            self.message_user(request, note.text, messages.WARNING)
        self.rules_changed(request, [template.pk])

    # Actions

    @admin.action(description="Activate", permissions=["change"])
    def activate(self, request: HttpRequest, queryset: QuerySet[BadgeTemplate]) -> None:
        for template in queryset:
            with editing.edit():
                row = BadgeTemplate.objects.select_for_update().get(pk=template.pk)
                faults = [*stored_faults(row), *_organization_faults(row)]
                if not faults:
                    row.is_active, row.note = True, ""
                    row.save()
                    effects = self.rules_changed(request, [row.pk])
            if faults:
                text = f"{template.name} was not activated. {' '.join(faults)}"
                self.message_user(request, text, messages.ERROR)
            else:
                text = f"{template.name} is active: from now on events count."
                if any(each.is_felt for each in effects):
                    text += f" Of those under way, {effects[0]}."
                self.message_user(request, text, messages.SUCCESS)

    @admin.action(description="Add preset", permissions=["change"])
    def add_preset(
        self, request: HttpRequest, queryset: QuerySet[BadgeTemplate]
    ) -> HttpResponse | None:
        templates = list(queryset[:2])
        if len(templates) != 1:
            self.message_user(request, "Choose one template.", messages.ERROR)
            return None
        return redirect("admin:credentials_badgetemplate_preset", object_id=templates[0].pk)

    @admin.action(description="Deactivate", permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet[BadgeTemplate]) -> None:
        with editing.edit():
            rows = BadgeTemplate.objects.filter(pk__in=queryset.values("pk"), is_active=True)
            count = rows.update(is_active=False)
            self.rules_changed(request, [])
        text = f"{count} deactivated: what learners hold stays, new events do not count."
        self.message_user(request, text, messages.SUCCESS)


def _vain(template: BadgeTemplate) -> list[Note]:
    """Requirements that nobody can ever fulfil."""
    return [
        Note("warning", f"Requirement {each.key} {TIMED_NEVER_VERIFIED}")
        for each in template.requirements.prefetch_related("rules")
        if waits_in_vain(each.event_type, each.rules.all())
    ]


def _unheard(template: BadgeTemplate) -> list[Note]:
    """Types of which no event ever arrived. Three statements."""
    types = {
        *template.requirements.values_list("event_type", flat=True),
        *template.penalties.values_list("event_type", flat=True),
    }
    missing = arrivals.never_arrived(types)
    if not missing:
        return []
    text = (
        f"No event of these types has ever arrived here: {', '.join(map(_named, missing))}. If "
        "the platform should have sent one by now, ask whoever runs it whether it publishes them, "
        "and on which topic: consumers read those named in EVENT_BUS_TOPICS, now "
        f"{', '.join(settings.EVENT_BUS_TOPICS) or 'none'}"
    )
    return [Note("warning", text)]


def _named(event_type: str) -> str:
    return f"{event_type_label(event_type)} ({event_type})"


def _organization_faults(template: BadgeTemplate) -> list[str]:
    missing = "credly" in template.providers and template.organization_id is None
    return [NO_ORGANIZATION] if missing else []
