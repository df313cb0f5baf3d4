"""Certificates and the mails about them: how they fare, drawing anew, sending again."""

from collections.abc import Sequence

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html

from certificates import links
from certificates.delivery import files, mail
from certificates.models import Certificate, CertificateMail
from certificates.reissue import reissue
from credentials import dispatch
from credentials.admin.base import Note, ReadOnlyAdmin, display

State = Certificate.State
MailState = CertificateMail.State
_LABELS = {
    State.WAITING.value: "info",
    State.AVAILABLE.value: "success",
    State.WITHDRAWN.value: "danger",
    State.ERASED.value: "default",
}
_MAIL_LABELS = {
    MailState.WAITING.value: "info",
    MailState.SENT.value: "success",
    MailState.CANCELLED.value: "default",
    MailState.DEAD.value: "danger",
}


@admin.register(Certificate)
class CertificateAdmin(ReadOnlyAdmin):
    list_display = ("name", "context_name", "state_label", "learner", "drawn_at", "drifted")
    list_filter = ("state", "issuance__name_drift")
    list_select_related = (
        "issuance__credential__learner",
        "issuance__credential__template",
    )
    search_fields = (
        "=verify_uuid",
        "name",
        "issuance__credential__learner__username",
        "=issuance__credential__learner__lms_user_id",
    )
    search_help_text = "Key of the certificate, printed name, username or LMS user id"
    actions = ("reissue",)
    buttons = ("reissue",)
    fields = (
        "name",
        "context_name",
        "issuer",
        "awarded_on",
        "state",
        "page_link",
        "file_link",
        "verify_uuid",
        "issuance",
        "language",
        "drawn_at",
        "withdrawn_at",
        "created",
    )
    readonly_fields = ("page_link", "file_link")

    @display(description="state", ordering="state", label=_LABELS)
    def state_label(self, obj: Certificate) -> tuple[str, str]:
        return obj.state, str(obj.get_state_display()).partition(":")[0]

    @display(description="learner", ordering="issuance__credential__learner__username")
    def learner(self, obj: Certificate) -> str:
        return str(obj.issuance.credential.learner)

    @display(
        description="another name now", ordering="issuance__name_drift", label={"yes": "warning"}
    )
    def drifted(self, obj: Certificate) -> tuple[str, str] | None:
        return ("yes", "draw anew?") if obj.issuance.name_drift else None

    @display(description="page that vouches for it")
    def page_link(self, obj: Certificate) -> str:
        return _link(links.verify_url(obj.verify_uuid))

    @display(description="file")
    def file_link(self, obj: Certificate) -> str:
        """A withdrawn one is shown to staff only."""
        if obj.state == State.AVAILABLE:
            return _link(links.file_url(obj.verify_uuid))
        if obj.state == State.WITHDRAWN and obj.awarded_on is not None:
            return _link(reverse("admin:certificates_certificate_archived", args=[obj.pk]))
        return "-"

    def get_notes(self, request: HttpRequest, obj: Certificate) -> Sequence[Note]:
        if obj.issuance.name_drift and obj.state == State.AVAILABLE:
            text = "The learner goes by another name now: “Draw anew” prints that one"
            return (Note("warning", text),)
        if obj.state == State.AVAILABLE and obj.drawn_at is None:
            return (Note("info", "It is being drawn anew. Until then the former file stays"),)
        return ()

    def get_buttons(self, request: HttpRequest, obj: Certificate) -> Sequence[str]:
        return self.buttons if obj.state == State.AVAILABLE else ()

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.archived)
        name = "certificates_certificate_archived"
        return [path("<path:object_id>/archived.pdf", view, name=name), *super().get_urls()]

    def archived(self, request: HttpRequest, object_id: str) -> HttpResponse | FileResponse:
        row = self.get_object(request, object_id)
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        if row is None or row.state != State.WITHDRAWN:
            raise Http404
        data = files.archived(row.verify_uuid)
        if data is None:
            raise Http404
        return HttpResponse(data, content_type="application/pdf")

    @admin.action(description="Draw anew, in the present name and layout", permissions=["act"])
    def reissue(self, request: HttpRequest, queryset: QuerySet[Certificate]) -> None:
        done, refused = reissue(queryset, now=timezone.now())
        if done:
            text = f"{done} will be drawn anew at once. Reload to see what came of it."
            self.message_user(request, text, messages.SUCCESS)
        if refused:
            text = f"{refused} not: withdrawn, not drawn yet, or no name is approved now."
            self.message_user(request, text, messages.WARNING)


@admin.register(CertificateMail)
class CertificateMailAdmin(ReadOnlyAdmin):
    urgent = Q(state=MailState.DEAD)
    list_display = ("learner", "what", "state_label", "attempts", "next_attempt_at", "sent_at")
    list_filter = ("state",)
    list_select_related = ("certificate__issuance__credential__learner",)
    search_fields = (
        "=certificate__verify_uuid",
        "certificate__issuance__credential__learner__username",
    )
    search_help_text = "Key of the certificate or username"
    actions = ("try_again",)
    buttons = ("try_again",)
    fields = ("certificate", "state", "last_error", "attempts", "next_attempt_at", "sent_at")

    @display(description="learner", ordering="certificate__issuance__credential__learner__username")
    def learner(self, obj: CertificateMail) -> str:
        return str(obj.certificate.issuance.credential.learner)

    @display(description="certificate", ordering="certificate__context_name")
    def what(self, obj: CertificateMail) -> str:
        return obj.certificate.context_name

    @display(description="state", ordering="state", label=_MAIL_LABELS)
    def state_label(self, obj: CertificateMail) -> tuple[str, str]:
        return obj.state, str(obj.get_state_display()).partition(":")[0]

    def get_notes(self, request: HttpRequest, obj: CertificateMail) -> Sequence[Note]:
        if obj.state == MailState.DEAD:
            text = f"Given up: {obj.last_error}"
            return (Note("error", text), Note("info", "Mend the cause, then press “Try again”."))
        return (Note("warning", obj.last_error),) if obj.last_error else ()

    def get_buttons(self, request: HttpRequest, obj: CertificateMail) -> Sequence[str]:
        return self.buttons if obj.state == MailState.DEAD else ()

    @admin.action(description="Try again", permissions=["act"])
    def try_again(self, request: HttpRequest, queryset: QuerySet[CertificateMail]) -> None:
        rows = CertificateMail.objects.filter(pk__in=list(queryset.values_list("pk", flat=True)))
        count = mail.try_again(rows, now=timezone.now())
        dispatch.send("certificates.tasks.send_mails", [])
        level = messages.SUCCESS if count else messages.WARNING
        self.message_user(request, f"{count} will be sent at once.", level)


def _link(address: str) -> str:
    return format_html('<a class="text-primary-600" href="{0}">{0}</a>', address)
