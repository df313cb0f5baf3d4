"""What a schedule found when it ran."""

import uuid
from datetime import timedelta

from django.db import models
from django.db.models import Q

from certificates.models.schedule import EligibilitySchedule
from credentials.models.run import UNFINISHED


class ScheduleRun(models.Model):
    """One run. The counts grow while it runs. `uuid` is what the ids of its events are made of."""

    class Kind(models.TextChoices):
        RUN = "run", "Run"
        REHEARSAL = "rehearsal", "Who would get it"

    class State(models.TextChoices):
        WAITING = "waiting", "Waits for a worker"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        SKIPPED = "skipped", "Skipped"
        FAILED = "failed", "Failed"

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    schedule = models.ForeignKey(EligibilitySchedule, on_delete=models.CASCADE, related_name="runs")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.RUN)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    # Id of the Celery task that asked for it: the same task again is the same run.
    ticket = models.CharField(max_length=255, null=True, unique=True, editable=False)
    attempts = models.PositiveIntegerField(default=0, editable=False)
    evaluated = models.PositiveIntegerField(default=0, help_text="Learners the source told about.")
    eligible = models.PositiveIntegerField(default=0)
    awarded = models.PositiveIntegerField(default=0, help_text="Badges, by this run.")
    skipped = models.PositiveIntegerField(
        default=0, help_text="Eligible learners of whom everything was known already."
    )
    failed = models.PositiveIntegerField(
        default=0, help_text="Learners who could not be judged; the others were."
    )
    error = models.TextField("reason", blank=True, help_text="Why it failed or was skipped.")
    requested_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            # Read by the sweep: the few that nobody has finished.
            models.Index(
                name="schedule_run_unfinished", fields=["id"], condition=Q(state__in=UNFINISHED)
            ),
            # Read by the start page of the admin.
            models.Index(
                name="schedule_run_failed",
                fields=["state", "requested_at"],
                condition=Q(state="failed"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.schedule}"

    @property
    def duration(self) -> timedelta | None:
        if self.started_at is None or self.finished_at is None:
            return None
        return self.finished_at - self.started_at


class ScheduleFinding(models.Model):
    """Something a run tells of one learner; of each kind the first few."""

    class Kind(models.TextChoices):
        FAILED = "failed", "Could not be judged"
        AWARD = "award", "Would be awarded"

    run = models.ForeignKey(ScheduleRun, on_delete=models.CASCADE, related_name="findings")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    lms_user_id = models.BigIntegerField("LMS user id", db_index=True)
    username = models.CharField(max_length=255, blank=True, help_text="As the source knows it.")
    reason = models.TextField(blank=True)

    class Meta:
        ordering = ["id"]
        verbose_name = "finding"

    def __str__(self) -> str:
        return self.username or f"LMS user {self.lms_user_id}"
