"""Issuances: how each credential fares at its providers; what is stuck comes first."""

from collections.abc import Sequence

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from credentials import dispatch, worker
from credentials.admin.base import Note, ReadOnlyAdmin, display, label_of_state
from credentials.admin.issuing import notes_of
from credentials.models import CredlyBadge, Issuance

State = Issuance.State
_STUCK = (State.DEAD, State.ERROR)
_LABELS = {
    State.REJECTED.value: "warning",
    State.EXPIRED.value: "warning",
    **dict.fromkeys((State.REVOKED.value, State.GONE.value, State.CANCELLED.value), "default"),
    State.DEAD.value: "danger",
    State.ERROR.value: "danger",
    State.HELD.value: "warning",
    State.CREATED.value: "info",
    State.PENDING.value: "info",
    State.ACCEPTED.value: "success",
    State.AVAILABLE.value: "success",
}
_SHORT = 80  # characters of an error in the list


@admin.register(Issuance)
class IssuanceAdmin(ReadOnlyAdmin):
    urgent = Q(state__in=_STUCK)
    list_display: tuple[str, ...] = (
        "learner",
        "template",
        "provider",
        "state_label",
        "wanted",
        "attempts",
        "next_attempt_at",
        "error",
    )
    list_filter: tuple[str, ...] = ("state", "wanted", "provider", "name_drift")
    list_select_related = ("credential__learner", "credential__template")
    search_fields = (
        "credential__learner__username",
        "=credential__learner__lms_user_id",
        "credential__template__name",
        "=external_id",
    )
    search_help_text = "Username, LMS user id, name of the badge template or the provider's id"
    actions = ("try_again",)
    buttons = ("try_again",)
    fields = (
        "credential",
        "provider",
        "wanted",
        "state",
        "last_error",
        "issued_name",
        "attempts",
        "next_attempt_at",
        "external_id",
        "external_url",
        "provider_state_at",
        "created",
        "modified",
    )

    @display(description="learner", ordering="credential__learner__username")
    def learner(self, obj: Issuance) -> str:
        return str(obj.credential.learner)

    @display(description="template", ordering="credential__template__name")
    def template(self, obj: Issuance) -> str:
        return str(obj.credential.template)

    state_label = label_of_state(_LABELS)

    @display(description="last error")
    def error(self, obj: Issuance) -> str:
        text = obj.last_error
        return text if len(text) <= _SHORT else f"{text[:_SHORT]}…"

    def get_notes(self, request: HttpRequest, obj: Issuance) -> Sequence[Note]:
        notes = []
        if obj.state == State.DEAD:
            text = f"Given up after {obj.attempts} attempts: {obj.last_error}"
            notes.append(Note("error", text))
            notes.append(Note("info", "Mend the cause, then press “Try again”."))
        elif obj.state == State.ERROR:
            text = f"The last attempt failed and will be repeated by itself: {obj.last_error}"
            notes.append(Note("warning", text))
        elif obj.state == State.HELD:
            text = "Waits until a verified name of the learner is approved: the template demands it"
            notes.append(Note("info", text))
        if obj.name_drift:
            name = obj.issued_name or obj.credential.issued_name
            text = f"Issued in the name {name}, which is no more in force"
            notes.append(Note("warning", text))
        return [*notes, *notes_of(obj.credential.template.organization)]

    def get_buttons(self, request: HttpRequest, obj: Issuance) -> Sequence[str]:
        return self.buttons if obj.state in _STUCK else ()

    @admin.action(description="Try again", permissions=["act"])
    def try_again(self, request: HttpRequest, queryset: QuerySet[Issuance]) -> None:
        stuck = list(queryset.filter(state__in=_STUCK).values_list("pk", flat=True))
        count = worker.try_again(Issuance.objects.filter(pk__in=stuck), now=timezone.now())
        dispatch.carry_out(stuck)
        if count:
            text = f"{count} will be tried again at once. Reload to see what came of it."
            self.message_user(request, text, messages.SUCCESS)
        else:
            text = "Nothing to do: only what is in error or dead can be tried again."
            self.message_user(request, text, messages.WARNING)


@admin.register(CredlyBadge)
class CredlyBadgeAdmin(IssuanceAdmin):
    list_display = (
        "learner",
        "template",
        "state_label",
        "wanted",
        "external_id",
        "attempts",
        "next_attempt_at",
        "error",
    )
    list_filter = ("state", "wanted", "name_drift")

    def get_queryset(self, request: HttpRequest) -> QuerySet[CredlyBadge]:
        rows: QuerySet[CredlyBadge] = super().get_queryset(request)
        return rows.filter(provider="credly")
