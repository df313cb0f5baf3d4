"""Credly's webhook: checked, stored, answered. What it means is worked out later, by a worker."""

import hmac
from typing import Final

from django.conf import settings
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from credentials import dispatch
from credentials.models import CredlyOrganization, CredlyWebhook
from credentials.providers.base import BadNoticeError, calling_back

_MAX_BYTES: Final = 64 * 1024


@csrf_exempt
@require_POST
def credly_webhook(request: HttpRequest, secret: str) -> HttpResponse:
    """Only status 200 counts as delivered at Credly; anything else is sent again, for days."""
    expected = settings.CREDLY_WEBHOOK_SECRET
    credly = calling_back().get("credly")
    if (
        credly is None
        or not expected
        or not hmac.compare_digest(secret.encode(), expected.encode())
    ):
        raise Http404
    length = request.headers.get("Content-Length") or "0"
    if not length.isdecimal():
        return _answer(400, "The Content-Length is no number.")
    if int(length) > _MAX_BYTES:
        return _answer(413, "The body is too large.")
    try:
        notice = credly.parse_webhook(request.body)
    except BadNoticeError as error:
        return _answer(400, str(error))
    organization_id = notice.organization_id
    if (
        organization_id is None
        or not CredlyOrganization.objects.filter(uuid=organization_id).exists()
    ):
        return _answer(404, "The organization is not known here.")
    if notice.event_id is None:
        return _answer(400, "The id is no UUID.")
    now = timezone.now()
    with transaction.atomic():
        row, created = CredlyWebhook.objects.get_or_create(
            event_id=notice.event_id,
            defaults={
                "organization_id": organization_id,
                "event_type": notice.event_type,
                "received_at": now,
                "next_attempt_at": now,
            },
        )
        if created:
            transaction.on_commit(lambda: dispatch.work_webhook(row.pk))
    return _answer(200, "Received.")


def _answer(status: int, text: str) -> HttpResponse:
    return HttpResponse(text + "\n", status=status, content_type="text/plain")
