"""The files to draw with: checked when they are uploaded, kept while a layout names them."""

from collections.abc import Iterator, Sequence
from typing import Any

import attrs
from django import forms
from django.contrib import admin
from django.http import HttpRequest

from certificates.assets import (
    MEGABYTES,
    StoredAssets,
    digest,
    slug_fault,
    upload_fault,
    users_of,
)
from certificates.generators.registry import faults
from certificates.models import Asset
from certificates.plugins import UnknownPluginError
from credentials import files
from credentials.admin.base import LaurelAdmin, Note


class AssetForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    class Meta:
        help_texts = {
            "file": f"At most {MEGABYTES} MB. A font needs TrueType outlines and a license "
            "that lets it be embedded."
        }

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"]
        if fault := slug_fault(slug):
            raise forms.ValidationError(fault)
        return slug

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        kind = cleaned.get("kind", self.instance.kind)  # later it stays and is no field
        if "file" not in cleaned or "file" not in self.changed_data or not kind:
            return cleaned
        file = cleaned["file"].open()
        data: bytes = file.read()
        file.seek(0)  # it is stored afterwards
        if fault := upload_fault(data, kind=kind):
            self.add_error("file", fault)
        elif self.instance.pk is not None:
            for fault in _would_break(self.instance, data=data):
                self.add_error("file", fault)
        self.instance.sha256, self.instance.size = digest(data), len(data)
        return cleaned


@attrs.frozen
class _Replaced:
    """The stored assets, with another file for one of them."""

    asset: Asset
    data: bytes

    def read(self, slug: str, *, kind: str) -> bytes:
        if (slug, kind) == (self.asset.slug, self.asset.kind):
            return self.data
        return StoredAssets().read(slug, kind=kind)


def _would_break(asset: Asset, *, data: bytes) -> Iterator[str]:
    """The layouts that cannot be drawn with this file in place of the present one, and why."""
    for each in users_of(asset):
        try:
            wrong = faults(each.generator, each.options, assets=_Replaced(asset, data))
        except UnknownPluginError:
            continue  # it is broken already
        for path, text in wrong.items():
            yield f"{each} would not work any more: {path}: {text.rstrip('.')}."


@admin.register(Asset)
class AssetAdmin(LaurelAdmin):
    form = AssetForm
    list_display = ("slug", "kind", "size", "uploaded_at")
    list_filter = ("kind",)
    search_fields = ("slug",)
    fields = ("slug", "kind", "file", "size", "uploaded_at")
    readonly_fields = ("size", "uploaded_at")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[str]:
        """Layouts know it by these."""
        return self.readonly_fields if obj is None else ("slug", "kind", *self.readonly_fields)

    def get_notes(self, request: HttpRequest, obj: Asset | None) -> Sequence[Note]:
        if obj is None:
            text = "Layouts name it by its slug. It can be replaced later: upload another file."
            return (Note("info", text),)
        used = ", ".join(str(each.template) for each in users_of(obj))
        text = f"Used by {used}: another file changes what is issued from then on"
        return (Note("info", text),) if used else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Not one that a layout names: nothing could be drawn any more."""
        allowed = bool(super().has_delete_permission(request, obj))
        return allowed and (obj is None or not users_of(obj))

    def save_model(self, request: HttpRequest, obj: Asset, form: Any, change: bool) -> None:
        # Locked: of two who replace it at once, the later one discards the earlier one's file. What
        # was issued stays: it holds all that it was drawn with.
        former = list(Asset.objects.select_for_update().filter(pk=obj.pk))
        super().save_model(request, obj, form, change)
        files.discard(each.file for each in former)

    def delete_model(self, request: HttpRequest, obj: Asset) -> None:
        super().delete_model(request, obj)
        files.discard([obj.file])

    def get_actions(self, request: HttpRequest) -> Any:
        """One by one, where it is seen who uses it."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions
