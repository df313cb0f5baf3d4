"""Deleting badge templates: never one that somebody holds or held, and with what else goes."""

from collections.abc import Iterator
from typing import Any, Final, cast

from django.contrib import messages
from django.contrib.auth import get_permission_codename
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from badges import editing
from credentials import files
from credentials.models import BadgeTemplate, UserCredential

_MOST_NAMED: Final = 20
_OWN_APP: Final = "badges"


class TemplateDeletion:
    """Mixin for the admin of templates, before all others but RuleEdits."""

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        obj = self.get_object(request, object_id)  # type: ignore[attr-defined]
        count = obj.credentials.count() if obj is not None else 0
        if obj is not None and count and self.has_delete_permission(request, obj):  # type: ignore[attr-defined]
            self.message_user(request, _undeletable(obj, count), messages.ERROR)  # type: ignore[attr-defined]
            return redirect("admin:credentials_badgetemplate_change", object_id=obj.pk)
        page = super().delete_view(request, object_id, extra_context)  # type: ignore[misc]
        return cast("HttpResponse", page)

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[str]]:
        """Counts instead of a list of every learner's progress, which can be very long. What other
        apps made for a template (schedules, layouts) is named: it is not seen on its page.
        """
        rows: Any = self.get_queryset(request).filter(pk__in=[each.pk for each in objs])  # type: ignore[attr-defined]
        protected = [
            _undeletable(each, each.credential_total) for each in rows if each.credential_total
        ]
        shown: list[Any] = []
        for each in rows:
            shown += [str(each), *filter(None, [list(_named(each))])]
        counts, missing = {"badge templates": len(rows)}, set()
        for model, below in _below(rows):
            count, meta = below.count(), model._meta  # noqa: SLF001 -- Django's documented API
            if not count:
                continue
            counts[str(meta.verbose_name_plural)] = count
            name = get_permission_codename("delete", meta)
            if meta.app_label != _OWN_APP and not request.user.has_perm(f"{meta.app_label}.{name}"):
                missing.add(str(meta.verbose_name))
        return shown, counts, missing, protected

    def delete_model(self, request: HttpRequest, obj: BadgeTemplate) -> None:
        super().delete_model(request, obj)  # type: ignore[misc]
        files.discard([obj.image])
        self.rules_changed(request, [])  # type: ignore[attr-defined]

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[BadgeTemplate]) -> None:
        with editing.edit():
            pictures = [each.image for each in queryset]
            super().delete_queryset(request, queryset)  # type: ignore[misc]
            files.discard(pictures)
            self.rules_changed(request, [])  # type: ignore[attr-defined]


def _below(templates: Any) -> Iterator[tuple[Any, QuerySet[Any]]]:
    """The rows of each model that go with the templates, one level down."""
    for relation in BadgeTemplate._meta.related_objects:  # noqa: SLF001 -- Django's documented API
        model = cast("Any", relation.related_model)
        if model is not UserCredential:  # those are protected
            of_these = {f"{relation.field.name}__in": templates.values("pk")}
            yield model, model._default_manager.filter(**of_these)  # noqa: SLF001 -- Django's documented API


def _named(template: BadgeTemplate) -> Iterator[str]:
    rows = BadgeTemplate.objects.filter(pk=template.pk)
    for model, below in _below(rows):
        if model._meta.app_label == _OWN_APP:  # noqa: SLF001 -- Django's documented API
            continue
        found = [str(each) for each in below[: _MOST_NAMED + 1]]
        kind = str(model._meta.verbose_name).capitalize()  # noqa: SLF001 -- Django's documented API
        yield from (f"{kind}: {each}" for each in found[:_MOST_NAMED])
        if len(found) > _MOST_NAMED:
            yield f"and more {model._meta.verbose_name_plural}"  # noqa: SLF001 -- Django's documented API


def _undeletable(template: BadgeTemplate, count: int) -> str:
    return (
        f"{template.name} has {count} credentials and cannot be deleted. Deactivate it instead: "
        "what learners hold stays, new events do not count."
    )
