"""The page before some forms: what is to be added decides which fields there are."""

from collections.abc import Sequence
from typing import Any

import attrs
from django.contrib import admin
from django.http import HttpRequest
from django.template.response import TemplateResponse


@attrs.frozen
class Choice:
    value: str
    label: str
    help: str = ""


def choose(
    request: HttpRequest,
    *,
    question: str,
    parameter: str,
    choices: Sequence[Choice],
    nothing: str,
    **context: Any,
) -> TemplateResponse:
    """Each choice leads to the same address with the parameter. `nothing`: what to say when there
    is no choice.
    """
    return TemplateResponse(
        request,
        "certificates/admin/choose.html",
        {
            **admin.site.each_context(request),
            "title": question,
            "question": question,
            "parameter": parameter,
            "choices": choices,
            "nothing": nothing,
            **context,
        },
    )
