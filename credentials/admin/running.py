"""Pages of long work that a worker does while somebody looks on: they reload until it is done."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.db.models import Q
from django.http import HttpRequest, HttpResponse

from credentials.admin.base import Note, ReadOnlyAdmin, display, label_of_state
from credentials.models.run import UNFINISHED

_REFRESH_SECONDS = "2"
_LABELS = {
    "waiting": "info",
    "running": "info",
    "done": "success",
    "stopped": "warning",
    "skipped": "warning",
    "failed": "danger",
}


class RunAdmin(ReadOnlyAdmin):
    """Of a model with `kind`, and `state` of which the unfinished ones come first. Fields named in
    `left_out_when_empty` are not shown when they say nothing.
    """

    urgent = Q(state__in=UNFINISHED)
    left_out_when_empty: ClassVar[Sequence[str]] = ()

    @display(description="what", ordering="kind")
    def kind_label(self, obj: Any) -> str:
        return str(obj.get_kind_display())

    state_label = label_of_state(_LABELS)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        empty = {name for name in self.left_out_when_empty if obj and not getattr(obj, name)}
        return [name for name in self.fields if name not in empty]

    def progress(self, obj: Any) -> str:
        """How far it is, in words."""
        # Not unfinished: each page overrides it, because each counts something else.
        raise NotImplementedError

    def get_notes(self, request: HttpRequest, obj: Any) -> Sequence[Note]:
        """While it is not done; what came of it is for the page to say."""
        if obj.state == "waiting":
            return (Note("info", "Waits for a worker. The page reloads by itself."),)
        if obj.state == "running":
            return (Note("info", f"Under way: {self.progress(obj)}"),)
        return ()

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        page = super().change_view(request, object_id, form_url, extra_context)
        if self.model.objects.filter(pk=object_id, state__in=UNFINISHED).exists():
            page["Refresh"] = _REFRESH_SECONDS
        return page
