"""Where Credly and this service disagree, as the newest comparison saw it."""

from collections.abc import Sequence

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest

from credentials.admin.base import Note, ReadOnlyAdmin, display
from credentials.models import Difference
from credentials.providers.credly.comparison import FIXES

Kind = Difference.Kind
_MEANINGS = {
    Kind.REVOKED_THERE: "Somebody revoked the badge at Credly, and nobody told this service.",
    Kind.GONE_THERE: "Credly had the badge and has it no more: it was deleted there.",
    Kind.NEVER_ISSUED: "The learner earned the badge, and issuing it was given up.",
    Kind.LIVE_THERE: "The learner lost the badge, and Credly still shows it.",
    Kind.OTHER_STATE: "The learner accepted or rejected the badge, and nobody told this service.",
    Kind.UNRECORDED: "Issuing was given up, but the badge is at Credly: an answer was lost.",
    Kind.UNKNOWN_HERE: "Somebody issued this badge at Credly, not by this service.",
    Kind.OTHER_EMAIL: "The learner's address changed since. Credly keeps the former one.",
}
_BY_HAND = {
    Kind.UNKNOWN_HERE: "Nothing: it stays as it is. Award the badge here too, or revoke it there.",
    Kind.OTHER_EMAIL: (
        "Nothing: the badge is good. The learner adds the new address to the account at Credly."
    ),
}


@admin.register(Difference)
class DifferenceAdmin(ReadOnlyAdmin):
    when_empty = "None are known. The page of an organization compares, and so does every night."
    urgent = Q(outcome="", kind__in=FIXES)
    list_display = ("kind_label", "learner", "template", "here", "there", "fixing", "outcome")
    list_filter = ("kind", "organization")
    list_select_related = ("issuance__credential__learner", "issuance__credential__template")
    search_fields = ("=external_id", "issuance__credential__learner__username")
    search_help_text = "Credly's id of the badge, or username"
    fields = (
        "kind",
        "organization",
        "issuance",
        "external_id",
        "here",
        "there",
        "since",
        "fixing",
        "outcome",
        "run",
    )
    readonly_fields = ("fixing",)

    @display(description="difference", ordering="kind", label=True)
    def kind_label(self, obj: Difference) -> str:
        return str(obj.get_kind_display())

    @display(description="learner")
    def learner(self, obj: Difference) -> str:
        return str(obj.issuance.credential.learner) if obj.issuance else "-"

    @display(description="template")
    def template(self, obj: Difference) -> str:
        return str(obj.issuance.credential.template) if obj.issuance else "-"

    @display(description="what fixing does")
    def fixing(self, obj: Difference) -> str:
        return FIXES.get(obj.kind) or _BY_HAND[Kind(obj.kind)]

    def get_notes(self, request: HttpRequest, obj: Difference) -> Sequence[Note]:
        if obj.outcome:
            return (Note("info", f"Fixed: {obj.outcome}"),)
        return (Note("warning", _MEANINGS[Kind(obj.kind)]),)
