"""Posting what is due, in the form of Standard Webhooks (standardwebhooks.com)."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import datetime, timedelta

import requests
from django.conf import settings
from django.db import transaction

from credentials.retry import backoff
from tests.notifier.models import Notification
from tests.notifier.signals import notification_sent


def send_due(*, clock: Callable[[], datetime]) -> int:
    """Returns how many were sent. Must not be called in a transaction."""
    rows = Notification.objects.filter(next_attempt_at__lte=clock()).order_by("id")
    return sum(_send(row, now=clock()) for row in rows)


def _send(row: Notification, *, now: datetime) -> bool:
    body = json.dumps(
        {
            "type": "badge.awarded",
            "timestamp": row.awarded_at.isoformat(),
            "data": {"credential": str(row.credential_uuid)},
        }
    )
    headers = signed(body, message_id=str(row.uuid), now=now, secret=settings.NOTIFIER_SECRET)
    row.attempts += 1
    try:
        requests.post(
            settings.NOTIFIER_URL, data=body.encode(), headers=headers, timeout=5
        ).raise_for_status()
    except requests.RequestException as error:
        row.last_error = type(error).__name__
        row.next_attempt_at = now + backoff(
            row.attempts, first=timedelta(seconds=5), longest=timedelta(hours=12)
        )
        row.save()
        return False
    with transaction.atomic():
        row.sent_at, row.next_attempt_at, row.last_error = now, None, ""
        row.save()
        notification_sent.send_robust(__name__, notification_id=row.pk)
    return True


def signed(body: str, *, message_id: str, now: datetime, secret: str) -> dict[str, str]:
    """The headers. `secret` is `whsec_` and the key in base64."""
    timestamp = str(int(now.timestamp()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{message_id}.{timestamp}.{body}".encode()
    signature = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{signature}",
    }
