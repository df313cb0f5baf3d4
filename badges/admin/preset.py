"""Adding a preset to a template: one page, reached from the template's."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from badges.models import BadgePenalty, BadgeRequirement
from badges.presets import PRESETS, Exam, Preset, faults, penalties_of
from credentials.models import BadgeTemplate

_LONGEST_ID = 80  # characters; the penalties' ids are longer
_EXAM_TYPES = sorted({each for preset in PRESETS.values() for each in preset.exam_types})


class PresetForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    preset = forms.ChoiceField(
        choices=[(name, each.label) for name, each in PRESETS.items()],
        widget=UnfoldAdminSelectWidget(),
    )
    course_key = forms.CharField(
        label="Course key",
        help_text="For example course-v1:edX+P1+2024.",
        widget=UnfoldAdminTextInputWidget(),
    )
    usage_key = forms.CharField(
        label="Usage key",
        help_text="Of the exam, for example block-v1:edX+P1+2024+type@sequential+block@final.",
        widget=UnfoldAdminTextInputWidget(),
    )
    exam_type = forms.ChoiceField(
        label="Type of exam",
        required=False,
        choices=[("", "The usual one"), *((each, each) for each in _EXAM_TYPES)],
        widget=UnfoldAdminSelectWidget(),
    )

    class Meta:
        model = BadgeRequirement
        fields = ("key", "group")
        widgets = {"key": UnfoldAdminTextInputWidget(), "group": UnfoldAdminTextInputWidget()}

    field_order = ("preset", "key", "course_key", "usage_key", "exam_type", "group")

    def clean_key(self) -> str:
        key = str(self.cleaned_data["key"])
        if len(key) > _LONGEST_ID:
            raise forms.ValidationError(f"At most {_LONGEST_ID} characters.")
        if self.instance.template.requirements.filter(key=key).exists():
            raise forms.ValidationError("Another requirement of this template has this id.")
        return key

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if {"preset", "course_key", "usage_key", "exam_type"} <= set(cleaned):
            for name, message in faults(self.chosen, self.exam):
                self.add_error(name, message)
        if "key" in cleaned and "preset" in cleaned:
            ids = [each.id for each in penalties_of(self.chosen, requirement_id=cleaned["key"])]
            if self.instance.template.penalties.filter(key__in=ids).exists():
                self.add_error("key", f"A penalty has one of the ids {', '.join(ids)}.")
        return cleaned

    @property
    def chosen(self) -> Preset:
        return PRESETS[self.cleaned_data["preset"]]

    @property
    def exam(self) -> Exam:
        return Exam(
            course_key=self.cleaned_data["course_key"].strip(),
            usage_key=self.cleaned_data["usage_key"].strip(),
            exam_type=self.cleaned_data["exam_type"] or self.chosen.exam_types[0],
        )


def add(form: PresetForm) -> None:
    """Write the requirement and its penalties. Requires a transaction, and that the caller says
    that the definitions changed.
    """
    requirement = form.save(commit=False)
    requirement.event_type = form.chosen.event_type
    requirement.description = form.chosen.label
    requirement.save()
    for made in penalties_of(form.chosen, requirement_id=requirement.key):
        penalty = BadgePenalty.objects.create(
            template=requirement.template, key=made.id, event_type=made.event_type
        )
        penalty.requirements.set([requirement])
        _write_rules(penalty, form.exam)
    _write_rules(requirement, form.exam)


def _write_rules(owner: BadgeRequirement | BadgePenalty, exam: Exam) -> None:
    for rule in exam.rules:
        owner.rules.create(path=rule.path, operator=rule.operator, value=rule.value)


def preset_view(page: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """`page` is the admin of templates, which tells what the change does to learners."""
    template = page.get_object(request, object_id)
    if template is None or not page.has_change_permission(request, template):
        raise PermissionDenied
    form = PresetForm(
        request.POST or None, instance=BadgeRequirement(template=template), initial={"key": "exam"}
    )
    if request.method == "POST" and form.is_valid():
        add(form)
        page.rules_changed(request, [template.pk])
        messages.success(request, f"{template}: “{form.chosen.label}” was added.")
        return redirect("admin:credentials_badgetemplate_change", object_id=template.pk)
    context = {
        **admin.site.each_context(request),
        "title": f"Add a preset to {template}",
        "opts": BadgeTemplate._meta,  # noqa: SLF001 -- Django's documented API
        "form": form,
    }
    return TemplateResponse(request, "badges/admin/preset.html", context)
