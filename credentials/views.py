"""Credly's webhook: checked, stored, answered. What it means is worked out later, by a worker."""

import hmac
import json
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from credentials import dispatch
from credentials.models import CredlyOrganization, CredlyWebhook

_MAX_BYTES: Final = 64 * 1024


@csrf_exempt
@require_POST
def credly_webhook(request: HttpRequest, secret: str) -> HttpResponse:
    """Only status 200 counts as delivered at Credly; anything else is sent again, for days."""
    expected = settings.CREDLY_WEBHOOK_SECRET
    if not expected or not hmac.compare_digest(secret.encode(), expected.encode()):
        raise Http404
    length = request.headers.get("Content-Length") or "0"
    if not length.isdecimal():
        return _answer(400, "The Content-Length is no number.")
    if int(length) > _MAX_BYTES:
        return _answer(413, "The body is too large.")
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        return _answer(400, "The body is not JSON.")
    if not isinstance(body, dict):
        return _answer(400, "The body is no JSON object.")
    organization_id = _uuid(body.get("organization_id"))
    if organization_id is None or not _is_known(organization_id):
        return _answer(404, "The organization is not known here.")
    event_id = _uuid(body.get("id"))
    if event_id is None:
        return _answer(400, "The id is no UUID.")
    now = timezone.now()
    with transaction.atomic():
        row, created = CredlyWebhook.objects.get_or_create(
            event_id=event_id,
            defaults={
                "organization_id": organization_id,
                "event_type": _storable(body.get("event_type", ""))[:100],
                "received_at": now,
                "next_attempt_at": now,
            },
        )
        if created:
            transaction.on_commit(lambda: dispatch.work_webhook(row.pk))
    return _answer(200, "Received.")


def _is_known(organization_id: UUID) -> bool:
    return CredlyOrganization.objects.filter(uuid=organization_id).exists()


def _uuid(value: object) -> UUID | None:
    """Only the usual form with dashes: `UUID()` itself would accept braces and prefixes."""
    try:
        parsed = UUID(str(value))
    except ValueError:
        return None
    return parsed if str(parsed) == str(value).lower() else None


def _storable(value: object) -> str:
    """JSON can hold what no database takes: NUL, and halves of surrogate pairs."""
    return str(value).encode(errors="replace").decode().replace("\x00", "")


def _answer(status: int, text: str) -> HttpResponse:
    return HttpResponse(text + "\n", status=status, content_type="text/plain")
