"""Checking a certificate, and getting its file. For everybody: nobody is asked who they are."""

from typing import Any, Final
from uuid import UUID

import attrs
import structlog
from django.core.files.storage import default_storage
from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from certificates.delivery import files
from certificates.verify.languages import LANGUAGES, language_of
from certificates.verify.standing import Standing, standing_of

log = structlog.get_logger(__name__)

_MALFORMED: Final = "This is no key of a certificate."
_UNKNOWN: Final = "There is no certificate of this key."
# The page brings everything along: nothing is fetched from elsewhere, and no script runs.
_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


@require_safe
@never_cache
def verify(request: HttpRequest, key: str) -> HttpResponse:
    """A page, or JSON where the client prefers that."""
    if request.get_preferred_type(["text/html", "application/json"]) == "application/json":
        response = _json(key)
    else:
        response = _page(request, key)
    patch_vary_headers(response, ["Accept"])
    return response


@require_safe
@never_cache
def verify_json(request: HttpRequest, key: str) -> HttpResponse:  # noqa: ARG001 -- a view
    return _json(key)


@require_safe
@never_cache
def file(request: HttpRequest, key: str) -> HttpResponse | FileResponse:
    """Streamed from the storage, whatever that is: what is revoked is out of reach at once. In its
    place stands the page that says why.
    """
    parsed = _parsed(key)
    found = None if parsed is None else standing_of(parsed)
    if parsed is None or found is None or not found.is_valid:
        return _render(request, found, status=400 if parsed is None else 404)
    if not files.is_published(parsed, size=found.size):  # lost, or half drawn anew
        log.error("file of a certificate is missing", certificate=key)
        return _render(request, attrs.evolve(found, file_url=""), status=404)
    response = FileResponse(
        default_storage.open(files.public_name(parsed)),
        content_type="application/pdf",
        filename=f"{parsed}.pdf",
    )
    response["X-Robots-Tag"] = "noindex"
    return response


def _json(key: str) -> HttpResponse:
    parsed = _parsed(key)
    if parsed is None:
        return JsonResponse({"error": _MALFORMED}, status=400)
    found = standing_of(parsed)
    if found is None:
        return JsonResponse({"error": _UNKNOWN}, status=404)
    return JsonResponse(found.as_document())


def _page(request: HttpRequest, key: str) -> HttpResponse:
    parsed = _parsed(key)
    found = None if parsed is None else standing_of(parsed)
    status = 400 if parsed is None else 404 if found is None else 200
    return _render(request, found, status=status)


def _render(request: HttpRequest, found: Standing | None, *, status: int) -> HttpResponse:
    language = language_of(request)
    context: dict[str, Any] = {
        "found": found,
        "malformed": status == 400,  # noqa: PLR2004 -- HTTP's own number
        "language": language,
        "languages": LANGUAGES.items(),
    }
    with translation.override(language):
        response = HttpResponse(
            render_to_string("certificates/verify.html", context, request), status=status
        )
    patch_vary_headers(response, ["Accept-Language"])
    response["Content-Language"] = language
    response["Content-Security-Policy"] = _POLICY
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    return response


def _parsed(key: str) -> UUID | None:
    """None when it is malformed. A UUID has many spellings; only the one that is printed counts."""
    try:
        parsed = UUID(key)
    except ValueError:
        return None
    return parsed if str(parsed) == key.lower() else None
