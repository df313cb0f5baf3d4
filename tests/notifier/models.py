"""One notification per award; nothing personal."""

import uuid

from django.db import models


class Notification(models.Model):
    uuid = models.UUIDField(unique=True, default=uuid.uuid4)
    credential_uuid = models.UUIDField(unique=True)
    awarded_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True)

    def __str__(self) -> str:
        return str(self.uuid)
