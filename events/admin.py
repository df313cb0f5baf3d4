"""The inbox: what was received, what became of it; failures come first."""

import json
from collections.abc import Sequence
from typing import Any, Final

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from credentials.admin.base import Note, ReadOnlyAdmin, display, label_of_state
from events import replay
from events.models import InboxEvent
from events.wire import Message

State = InboxEvent.State
_FAILED: Final = (State.FAILED, State.DEAD)
_PRE: Final = '<pre class="font-mono text-xs whitespace-pre-wrap break-all">{}</pre>'


class TypeFilter(admin.SimpleListFilter):
    """The configured types: reading the distinct types of a long inbox would be slow."""

    title = "event type"
    parameter_name = "event_type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        from events.registry import subscriptions

        return [(each, each) for each in sorted(subscriptions())]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(event_type=self.value()) if self.value() else queryset


@admin.register(InboxEvent)
class InboxEventAdmin(ReadOnlyAdmin):
    when_empty = "No event has come yet. Is a consumer running? See Consumers."
    urgent = Q(state__in=_FAILED)
    list_display = (
        "event_type_text",
        "learner",
        "state_label",
        "error",
        "event_time",
        "received_at",
    )
    list_filter = ("state", TypeFilter)
    list_select_related = ("learner",)
    search_fields = ("=event_id", "learner__username", "=learner__lms_user_id", "=origin")
    search_help_text = "Id of the event, username, LMS user id or origin"
    actions = ("replay",)
    buttons = ("replay",)
    fields = (
        "event_type_text",
        "event_id",
        "event_time",
        "learner",
        "state",
        "reason_text",
        "attempts",
        "next_attempt_at",
        "duplicates",
        "received_at",
        "origin",
        "source",
        "sourcehost",
        "payload_text",
        "raw_text",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[InboxEvent]:
        """The list needs no payloads; one page of them can be megabytes."""
        rows: QuerySet[InboxEvent] = super().get_queryset(request)
        return rows.defer("payload", "raw")

    @display(description="event type", ordering="event_type")
    def event_type_text(self, obj: InboxEvent) -> str:
        return obj.event_type or "unknown"

    state_label = label_of_state(
        {
            State.ACCEPTED.value: "success",
            State.IGNORED.value: "default",
            State.FAILED.value: "danger",
            State.DEAD.value: "danger",
        }
    )

    @display(description="why")
    def error(self, obj: InboxEvent) -> str:
        """The last line: of a traceback that is the error itself."""
        return _last_line(obj.reason)

    @display(description="why")
    def reason_text(self, obj: InboxEvent) -> SafeString | str:
        return format_html(_PRE, obj.reason) if obj.reason else "none"

    @display(description="payload")
    def payload_text(self, obj: InboxEvent) -> SafeString | str:
        if obj.payload is None:
            return "none"
        return format_html(_PRE, json.dumps(obj.payload, indent=2, ensure_ascii=False))

    @display(description="message as it was received")
    def raw_text(self, obj: InboxEvent) -> SafeString | str:
        """Bytes that are no text are shown as escapes, so that the words among them stand out."""
        if obj.raw is None:
            return "none"
        message = Message.from_bytes(bytes(obj.raw), origin=obj.origin)
        lines = (
            f"{key.decode(errors='backslashreplace')}: {value.decode(errors='backslashreplace')}"
            for key, value in message.fields.items()
        )
        return format_html(_PRE, "\n".join(lines))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = super().get_fields(request, obj)
        unused = {"payload_text"} if obj is not None and obj.state in _FAILED else {"raw_text"}
        return [name for name in fields if name not in unused]

    def get_notes(self, request: HttpRequest, obj: InboxEvent) -> Sequence[Note]:
        if obj.state == State.DEAD:
            text = f"Given up after {obj.attempts} attempts: {_last_line(obj.reason)}"
            return Note("error", text), Note("info", "Mend the cause, then press “Replay”.")
        if obj.state == State.FAILED:
            text = f"Will be tried again by itself: {_last_line(obj.reason)}"
            return (Note("warning", text),)
        return ()

    def get_buttons(self, request: HttpRequest, obj: InboxEvent) -> Sequence[str]:
        return self.buttons if obj.state in _FAILED else ()

    @admin.action(description="Replay", permissions=["act"])
    def replay(self, request: HttpRequest, queryset: QuerySet[InboxEvent]) -> None:
        """Each in a transaction of its own; what fails again says why."""
        rows = list(queryset.filter(state__in=_FAILED).order_by("pk"))
        for row in rows:
            name = row.event_type or "The message"
            if replay.retry(row.pk, now=timezone.now()):
                self.message_user(request, f"{name} was processed.", messages.SUCCESS)
                continue
            fresh = InboxEvent.objects.filter(pk=row.pk).first()
            if fresh is None or fresh.state not in _FAILED:
                text = f"{name} was processed meanwhile by somebody else."
                self.message_user(request, text, messages.WARNING)
            else:
                text = f"{name} failed again: {_last_line(fresh.reason)}"
                self.message_user(request, text, messages.ERROR)
        if not rows:
            text = "Nothing to do: only events that failed can be replayed."
            self.message_user(request, text, messages.WARNING)


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2]
