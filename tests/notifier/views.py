from uuid import UUID

from django.http import HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404

from tests.notifier.models import Notification


def notification(request: HttpRequest, credential_uuid: UUID) -> JsonResponse:
    """Was the award of this credential told?"""
    row = get_object_or_404(Notification, credential_uuid=credential_uuid)
    return JsonResponse({"id": str(row.uuid), "attempts": row.attempts, "sent": bool(row.sent_at)})
