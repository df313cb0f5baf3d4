"""Public events on their way to the bus; what waits comes first."""

from collections.abc import Sequence

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest

from credentials.admin.base import Note, ReadOnlyAdmin, display
from credentials.models import OutboxEvent

_NO_ID = (
    "No LMS user id yet: a public event cannot name this learner. It goes out once an event "
    "tells the id."
)


@admin.register(OutboxEvent)
class OutboxEventAdmin(ReadOnlyAdmin):
    urgent = Q(published_at__isnull=True)
    list_display = ("kind", "learner", "template", "occurred_at", "published_at", "situation")
    list_filter = (("published_at", admin.EmptyFieldListFilter), "kind")
    list_select_related = ("credential__learner", "credential__template")
    search_fields = ("=event_id", "credential__learner__username", "credential__template__name")
    search_help_text = "Id of the event, username or name of the badge template"
    fields = ("kind", "credential", "occurred_at", "published_at", "last_error", "event_id")

    @display(description="learner")
    def learner(self, obj: OutboxEvent) -> str:
        return str(obj.credential.learner)

    @display(description="template")
    def template(self, obj: OutboxEvent) -> str:
        return str(obj.credential.template)

    @display(
        description="situation",
        label={"sent": "success", "waits": "info", "failed": "danger", "no id": "warning"},
    )
    def situation(self, obj: OutboxEvent) -> tuple[str, str]:
        if obj.published_at is not None:
            return "sent", "Published"
        if obj.credential.learner.lms_user_id is None:
            return "no id", "Waits: no LMS user id"
        return ("failed", "Waits: the bus failed") if obj.last_error else ("waits", "Waits")

    def get_notes(self, request: HttpRequest, obj: OutboxEvent) -> Sequence[Note]:
        if obj.published_at is not None:
            return ()
        if obj.credential.learner.lms_user_id is None:
            return (Note("warning", _NO_ID),)
        if obj.last_error:
            text = f"Not published yet, tried again by itself: {obj.last_error}"
            return (Note("error", text),)
        return (Note("info", "Waits to be published."),)
