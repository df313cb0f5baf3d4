"""Names that somebody vouched for, and everything that was said of them."""

from django.db import models

from credentials.models import Learner
from verified_names.folding import Fact, Name, Outcome, Status

STATUSES = [(each, each.capitalize()) for each in Status]


class VerifiedName(models.Model):
    """One name of a learner, as the facts of its attempt leave it."""

    learner = models.ForeignKey(Learner, on_delete=models.CASCADE, related_name="verified_names")
    verified_name = models.CharField(max_length=255)
    profile_name = models.CharField(
        max_length=255, blank=True, help_text="The name in the profile at that time."
    )
    source = models.CharField(max_length=50, help_text="Who vouches: idv, exam, proctoring, ...")
    attempt = models.CharField(
        max_length=255, help_text="Which attempt of that source: its id, or the exam."
    )
    # An exam that was reset is sat anew under the same key.
    number = models.PositiveIntegerField(default=0, editable=False)
    status = models.CharField(max_length=10, choices=STATUSES)
    event_id = models.UUIDField(help_text="The newest event that counted.")
    event_time = models.DateTimeField()
    approved_at = models.DateTimeField(null=True, blank=True)
    valid_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-event_time", "-id"]
        constraints = [
            models.UniqueConstraint(
                name="one_name_per_attempt", fields=["learner", "source", "attempt", "number"]
            ),
        ]

    def __str__(self) -> str:
        return f"{self.verified_name} ({self.status})"

    @property
    def name(self) -> Name:
        return Name(
            source=self.source,
            attempt=self.attempt,
            number=self.number,
            name=self.verified_name,
            profile_name=self.profile_name,
            status=Status(self.status),
            at=self.event_time,
            event_id=self.event_id,
            valid_until=self.valid_until,
            approved_at=self.approved_at,
        )


class NameFact(models.Model):
    """One thing that a source said: the history, and what the names are folded from."""

    learner = models.ForeignKey(Learner, on_delete=models.CASCADE, related_name="name_facts")
    event_id = models.UUIDField(unique=True)
    source = models.CharField(max_length=50)
    attempt = models.CharField(max_length=255)
    status = models.CharField(max_length=10, choices=STATUSES)
    event_time = models.DateTimeField()
    name = models.CharField(max_length=255, blank=True)
    refused = models.CharField(
        max_length=255, blank=True, help_text="Why the name that was said cannot be used."
    )
    profile_name = models.CharField(max_length=255, blank=True)
    valid_until = models.DateTimeField(null=True, blank=True)
    defers = models.BooleanField(default=False)
    reopens = models.BooleanField(default=False)
    by = models.CharField(max_length=150, blank=True, help_text="The staff member who said it.")
    outcome = models.CharField(
        max_length=20,
        choices=[(each, each.capitalize()) for each in Outcome],
        help_text="What became of it when it came.",
    )
    received_at = models.DateTimeField()

    class Meta:
        ordering = ["event_time", "id"]
        verbose_name = "statement on a name"
        verbose_name_plural = "statements on names"

    def __str__(self) -> str:
        return f"{self.source} {self.attempt}: {self.status}"

    @property
    def fact(self) -> Fact:
        return Fact(
            source=self.source,
            attempt=self.attempt,
            status=Status(self.status),
            at=self.event_time,
            event_id=self.event_id,
            name=self.name,
            refused=self.refused,
            profile_name=self.profile_name,
            valid_until=self.valid_until,
            defers=self.defers,
            reopens=self.reopens,
            by=self.by,
        )


class VerifiedNameConfig(models.Model):
    """What a learner chose. Without a row nothing was chosen: see verified_names.resolver."""

    learner = models.OneToOneField(
        Learner, on_delete=models.CASCADE, related_name="verified_name_config"
    )
    use_verified_name = models.BooleanField()
    changed_at = models.DateTimeField()

    class Meta:
        verbose_name = "choice of name"
        verbose_name_plural = "choices of name"

    def __str__(self) -> str:
        return f"{self.learner}: {'verified' if self.use_verified_name else 'profile'} name"
