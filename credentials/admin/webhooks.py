"""What Credly called us with, and what was done about it; failures come first."""

from collections.abc import Sequence

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from credentials.admin.base import Note, ReadOnlyAdmin, label_of_state
from credentials.models import CredlyWebhook
from credentials.providers.credly import webhook

State = CredlyWebhook.State
_FAILED = (State.FAILED, State.DEAD)


@admin.register(CredlyWebhook)
class CredlyWebhookAdmin(ReadOnlyAdmin):
    when_empty = "Credly has not called yet: the page of an organization shows the address."
    urgent = Q(state__in=_FAILED)
    list_display = ("event_type", "state_label", "outcome", "attempts", "received_at")
    list_filter = ("state", "event_type")
    search_fields = ("=event_id", "event_type", "outcome")
    actions = ("work_again",)
    buttons = ("work_again",)
    fields = (
        "event_type",
        "state",
        "outcome",
        "attempts",
        "next_attempt_at",
        "event_id",
        "organization_id",
        "received_at",
    )

    state_label = label_of_state(
        {
            State.DONE.value: "success",
            State.IGNORED.value: "default",
            State.RECEIVED.value: "info",
            State.FAILED.value: "danger",
            State.DEAD.value: "danger",
        }
    )

    def get_notes(self, request: HttpRequest, obj: CredlyWebhook) -> Sequence[Note]:
        if obj.state == State.DEAD:
            text = f"Given up after {obj.attempts} attempts: {obj.outcome}"
            return Note("error", text), Note("info", "Mend the cause, then press “Work again”.")
        if obj.state == State.FAILED:
            return (Note("warning", f"Will be worked again by itself: {obj.outcome}"),)
        return ()

    @admin.action(description="Work again", permissions=["act"])
    def work_again(self, request: HttpRequest, queryset: QuerySet[CredlyWebhook]) -> None:
        for key in list(queryset.values_list("pk", flat=True)):
            CredlyWebhook.objects.filter(pk=key).update(attempts=0, next_attempt_at=timezone.now())
            webhook.work(key, clock=timezone.now)
            row = CredlyWebhook.objects.get(pk=key)
            level = messages.ERROR if row.state in _FAILED else messages.SUCCESS
            text = f"{row.event_type or row.event_id}: {row.get_state_display()}. {row.outcome}"
            self.message_user(request, text, level)
