"""One certificate of one credential: its file, and the mail that tells the learner."""

import uuid

from django.db import models
from django.db.models import Q

from credentials.models import Issuance


class Certificate(models.Model):
    """Its file is named after `verify_uuid`, which nobody can guess and which says nothing. The
    texts are as printed: what is renamed later does not change what somebody holds in hands.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting: nothing drawn yet"
        AVAILABLE = "available", "Available"
        WITHDRAWN = "withdrawn", "Withdrawn: the file is in the archive"
        ERASED = "erased", "Erased with its learner"

    issuance = models.OneToOneField(Issuance, on_delete=models.CASCADE, related_name="certificate")
    verify_uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    name = models.CharField("printed name", max_length=255, blank=True)
    context_name = models.CharField(max_length=255, blank=True)
    issuer = models.CharField(max_length=255, blank=True)
    awarded_on = models.DateField(null=True, blank=True)
    language = models.CharField(max_length=20, blank=True)
    drawn_at = models.DateTimeField(
        null=True, blank=True, help_text="Empty: it has to be drawn, or drawn anew."
    )
    size = models.PositiveIntegerField(null=True, blank=True, help_text="Bytes.")
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    file_to_erase = models.BooleanField(default=False, editable=False)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            # Read by certificates.delivery.work_due: files of learners who were retired.
            models.Index(
                name="certificate_to_erase", fields=["id"], condition=Q(file_to_erase=True)
            ),
        ]

    def __str__(self) -> str:
        return str(self.verify_uuid)


class CertificateMail(models.Model):
    """Tells the learner where the certificate is, once. The address is looked up when it is sent,
    so none waits here.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        SENT = "sent", "Sent"
        CANCELLED = "cancelled", "Not sent: nothing to tell any more"
        DEAD = "dead", "Dead: given up"

    certificate = models.OneToOneField(Certificate, on_delete=models.CASCADE, related_name="mail")
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = "mail"
        indexes = [
            # Read by certificates.delivery.mail.due.
            models.Index(
                name="certificate_mail_due",
                fields=["next_attempt_at"],
                condition=Q(next_attempt_at__isnull=False),
            ),
            # Read by the start page of the admin.
            models.Index(name="certificate_mail_dead", fields=["state"], condition=Q(state="dead")),
        ]

    def __str__(self) -> str:
        return f"Mail about {self.certificate}"
