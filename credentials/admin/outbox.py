"""Public events on their way to the bus; what waits comes first."""

from collections.abc import Sequence

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from credentials import dispatch
from credentials.admin.base import Note, ReadOnlyAdmin, display
from credentials.models import OutboxEvent

_NO_ID = (
    "No LMS user id yet: a public event cannot name this learner. It goes out once an event "
    "tells the id."
)

_MEND = (
    "Mend the template or the learner, then press “Try again”. It is also tried again by itself "
    "every hour."
)


@admin.register(OutboxEvent)
class OutboxEventAdmin(ReadOnlyAdmin):
    when_empty = "No badge was awarded or revoked yet, so there was nothing to tell the platform."
    urgent = Q(published_at__isnull=True)
    list_display = ("kind", "learner", "template", "occurred_at", "published_at", "situation")
    list_filter = (("published_at", admin.EmptyFieldListFilter), "kind")
    list_select_related = ("credential__learner", "credential__template")
    search_fields = ("=event_id", "credential__learner__username", "credential__template__name")
    search_help_text = "Id of the event, username or name of the badge template"
    fields = ("kind", "credential", "occurred_at", "published_at", "last_error", "event_id")
    actions = ("try_again",)
    buttons = ("try_again",)

    @display(description="learner")
    def learner(self, obj: OutboxEvent) -> str:
        return str(obj.credential.learner)

    @display(description="template")
    def template(self, obj: OutboxEvent) -> str:
        return str(obj.credential.template)

    @display(
        description="situation",
        label={
            "sent": "success",
            "waits": "info",
            "failed": "danger",
            "aside": "danger",
            "no id": "warning",
        },
    )
    def situation(self, obj: OutboxEvent) -> tuple[str, str]:
        if obj.published_at is not None:
            return "sent", "Published"
        if obj.credential.learner.lms_user_id is None:
            return "no id", "Waits: no LMS user id"
        if obj.set_aside_until is not None:
            return "aside", "Set aside: cannot be built"
        return ("failed", "Waits: the bus failed") if obj.last_error else ("waits", "Waits")

    def get_notes(self, request: HttpRequest, obj: OutboxEvent) -> Sequence[Note]:
        if obj.published_at is not None:
            return ()
        if obj.credential.learner.lms_user_id is None:
            return (Note("warning", _NO_ID),)
        if obj.set_aside_until is not None:
            text = f"Its event cannot be built, the others go on without it: {obj.last_error}"
            return Note("error", text), Note("info", _MEND)
        if obj.last_error:
            text = f"Not published yet, tried again by itself: {obj.last_error}"
            return (Note("error", text),)
        return (Note("info", "Waits to be published."),)

    def get_buttons(self, request: HttpRequest, obj: OutboxEvent) -> Sequence[str]:
        return self.buttons if obj.set_aside_until is not None else ()

    @admin.action(description="Try again", permissions=["act"])
    def try_again(self, request: HttpRequest, queryset: QuerySet[OutboxEvent]) -> None:
        """What was set aside goes out with the others again."""
        waiting = queryset.filter(published_at__isnull=True, set_aside_until__isnull=False)
        count = waiting.update(set_aside_until=None)
        if count:
            dispatch.publish()
            self.message_user(request, f"{count} will be tried again.", messages.SUCCESS)
        else:
            text = "Nothing to do: only what was set aside can be tried again."
            self.message_user(request, text, messages.WARNING)
