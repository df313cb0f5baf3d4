"""Saving rules: told to every process, carried over to learners, and shown before it happens."""

from collections.abc import Callable, Collection, Sequence
from typing import Any, cast

from django.contrib import messages
from django.contrib.messages.storage import default_storage
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone

from badges import editing
from badges.definitions import stored_faults
from badges.editing import EditEffect
from credentials.models import BadgeTemplate

_CONFIRMED = "_effect_confirmed"
_NOT_REPEATED = frozenset({"csrfmiddlewaretoken", _CONFIRMED})


class RuleEdits:
    """Mixin for the admin of templates and penalties, before all others. An edit that learners
    would feel is made, looked at, taken back, and made again once somebody confirmed it: so what
    is shown is what happens.
    """

    def rules_changed(
        self, request: HttpRequest, template_ids: Collection[int]
    ) -> Sequence[EditEffect]:
        """Requires the transaction of the change."""
        effects = list(editing.definitions_changed(template_ids, now=timezone.now()).values())
        faults: list[str] = request.META.setdefault("laurel.edit_faults", [])
        for each in BadgeTemplate.objects.filter(pk__in=template_ids, is_active=True):
            # What no form can see alone, such as a circle of badges.
            faults += stored_faults(each)
        felt: list[EditEffect] = request.META.setdefault("laurel.edit_effects", [])
        felt += [each for each in effects if each.is_felt]
        return effects

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        def answer() -> HttpResponse:
            page = super(RuleEdits, self).changeform_view(  # type: ignore[misc]
                request, object_id, form_url, extra_context
            )
            return cast("HttpResponse", page)

        return self.with_effects(request, answer)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        def answer() -> HttpResponse:
            page = super(RuleEdits, self).delete_view(request, object_id, extra_context)  # type: ignore[misc]
            return cast("HttpResponse", page)

        return self.with_effects(request, answer)

    def with_effects(
        self, request: HttpRequest, answer: Callable[[], HttpResponse]
    ) -> HttpResponse:
        """The answer of a view that calls `rules_changed`, or the question whether to go on."""
        if request.method != "POST":
            return answer()
        with editing.edit():
            page = answer()
            felt = request.META.get("laurel.edit_effects", [])
            faults = request.META.get("laurel.edit_faults", [])
            asks = bool(felt) and _CONFIRMED not in request.POST
            if asks or faults:
                transaction.set_rollback(True)
        if faults:
            _unsay(request)
            messages.error(request, f"Nothing was saved. {' '.join(faults)}")
            return redirect(request.get_full_path())
        if asks:
            return self._ask(request, felt)
        for each in felt:
            messages.info(request, str(each))
        return page

    def _ask(self, request: HttpRequest, felt: Sequence[EditEffect]) -> HttpResponse:
        _unsay(request)
        context = {
            **self.admin_site.each_context(request),  # type: ignore[attr-defined]
            "title": "What this change does to learners",
            "opts": self.opts,  # type: ignore[attr-defined]
            "effects": [str(each) for each in felt],
            "confirmed": _CONFIRMED,
            "posted": [
                (name, value)
                for name, values in request.POST.lists()
                if name not in _NOT_REPEATED
                for value in values
            ],
        }
        return TemplateResponse(request, "badges/admin/confirm_edit.html", context)


def _unsay(request: HttpRequest) -> None:
    """Drop "was changed successfully": it was not. A storage that was read shows its messages once
    more on the same page, so it gets a fresh one.
    """
    setattr(request, "_messages", default_storage(request))  # noqa: B010 -- where Django keeps it
