"""What the pages of the admin share: notes above the form, buttons for one row, read-only rows."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, TypeVar, cast

import attrs
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from unfold import decorators
from unfold.admin import ModelAdmin, TabularInline

from credentials.admin.lists import CappedPaginator, QuickList, UrgentFirst

Method = TypeVar("Method", bound=Callable[..., Any])


def display(**options: Any) -> Callable[[Method], Method]:
    """`unfold.decorators.display`, which has no types of its own."""
    return cast("Callable[[Method], Method]", decorators.display(**options))


def list_page(**options: Any) -> Callable[[Method], Method]:
    """`unfold.decorators.action`, for a page that the list leads to: one of `actions_list`."""
    return cast("Callable[[Method], Method]", decorators.action(**options))


def label_of_state(colours: Mapping[str, str]) -> Callable[[Any, Any], tuple[str, str]]:
    """A column: the state as a label in its colour, without what its name says behind a colon."""

    @display(description="state", ordering="state", label=dict(colours))
    def label(_admin: Any, obj: Any) -> tuple[str, str]:
        return obj.state, str(obj.get_state_display()).partition(":")[0]

    return label


def _sentence(text: str) -> str:
    """Errors of other programs end without a full stop, and something may follow them."""
    return text if text.endswith((".", "!", "?", "”")) else f"{text}."


@attrs.frozen
class Note:
    """A sentence above the form. `level`: error, warning or info."""

    level: str
    text: str = attrs.field(converter=_sentence)


class LaurelAdmin(ModelAdmin):
    """Actions of the list that are named in `buttons` also stand above the form of one row.

    A button posts: a link that changes something could be followed by mistake, or from outside.
    """

    buttons: ClassVar[Sequence[str]] = ()
    when_empty = ""  # what it means that the list is empty: templates/unfold/helpers
    change_form_outer_before_template = "credentials/admin/before_form.html"
    warn_unsaved_form = True

    def get_notes(self, request: HttpRequest, obj: Any) -> Sequence[Note]:
        """`obj` is None on the page of a new row."""
        return ()

    def get_buttons(self, request: HttpRequest, obj: Any) -> Sequence[str]:
        """The names of the buttons that make sense for this row."""
        return self.buttons

    def has_act_permission(self, request: HttpRequest) -> bool:
        """May this user run actions? Rows that nobody edits by hand still have actions."""
        name = f"{self.opts.app_label}.change_{self.opts.model_name}"
        return bool(request.user.has_perm(name))

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        notes = self.get_notes(request, None) if self.has_add_permission(request) else ()
        context = {"notes": notes, **(extra_context or {})}
        return cast("HttpResponse", super().add_view(request, form_url, context))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        obj = self.get_object(request, object_id)
        shown: dict[str, Any] = {"notes": [], "buttons": []}
        if obj is not None and self.has_view_permission(request, obj):
            actions = self.get_actions(request)
            shown["notes"] = self.get_notes(request, obj)
            shown["buttons"] = [
                (self._button_url(obj, name), actions[name][2])
                for name in self.get_buttons(request, obj)
                if name in actions
            ]
        context = {**shown, **(extra_context or {})}
        return cast("HttpResponse", super().change_view(request, object_id, form_url, context))

    def get_urls(self) -> list[URLPattern]:
        press = self.admin_site.admin_view(self.press)
        return [
            path("<path:object_id>/do/<slug:name>/", press, name=self._button_url_name),
            *super().get_urls(),
        ]

    def press(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """Run the list action `name` on one row."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        action = self.get_actions(request).get(name)
        if action is None or name not in self.buttons:
            raise PermissionDenied
        rows: QuerySet[Model] = self.get_queryset(request)
        obj = self.get_object(request, object_id)
        if obj is not None and not self.has_view_or_change_permission(request, obj):
            raise PermissionDenied
        if obj is not None:
            answer = action[0](self, request, rows.filter(pk=obj.pk))
            if answer is not None:
                return cast("HttpResponse", answer)
        if obj is None or not rows.filter(pk=obj.pk).exists():
            return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        return redirect(
            f"admin:{self.opts.app_label}_{self.opts.model_name}_change", object_id=obj.pk
        )

    @property
    def _button_url_name(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_do"

    def _button_url(self, obj: Any, name: str) -> str:
        return reverse(f"admin:{self._button_url_name}", args=[obj.pk, name])


class ReadOnlyAdmin(LaurelAdmin):
    """Rows that the service writes. Nobody adds, edits or deletes one by hand. Rows that match
    `urgent` come first.
    """

    urgent: ClassVar[Q | None] = None
    warn_unsaved_form = False
    list_per_page = 50
    paginator = CappedPaginator
    show_full_result_count = False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[QuickList]:
        return UrgentFirst if self.urgent is not None else QuickList

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may change may look; `has_change_permission` says no to everybody."""
        return bool(super().has_view_permission(request, obj)) or self.has_act_permission(request)


class ReadOnlyInline(TabularInline):
    """Rows of a read-only page; `open_link` leads to the page of one."""

    extra = 0
    can_delete = False
    readonly_fields: Sequence[str] = ("open_link",)
    show_title = False
    if hasattr(TabularInline, "hide_title"):
        hide_title = True  # its name in older versions of unfold

    @display(description="page")
    def open_link(self, obj: Any) -> str:
        opts = obj._meta  # noqa: SLF001 -- Django's documented API
        url = reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[obj.pk])
        return format_html('<a class="text-primary-600" href="{}">Open</a>', url)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
