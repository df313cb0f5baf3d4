"""What consumers tell of themselves, and what went wrong on the bus: for the web process, which is
another one, and for whoever looks later.
"""

from django.db import models


class ConsumerStatus(models.Model):
    """One consumer, by group and name; written by itself every few seconds."""

    group = models.CharField(max_length=120)
    name = models.CharField(max_length=120, help_text="Unique in the group.")
    topics = models.JSONField(default=list, help_text="The streams it reads, prefix included.")
    started_at = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField(help_text="Its last sign of life.")
    left_at = models.DateTimeField(
        null=True, blank=True, help_text="When it ended in order: told to, or with nothing to do."
    )
    note = models.CharField(max_length=255, blank=True, help_text="What it is waiting for.")
    last_batch_at = models.DateTimeField(null=True, blank=True)
    events = models.PositiveBigIntegerField(default=0, help_text="Messages since its start.")
    rate = models.FloatField(default=0, help_text="Messages a second, in the last few seconds.")
    pending = models.PositiveBigIntegerField(
        default=0, help_text="Messages it was handed and has not finished."
    )
    lag_messages = models.PositiveBigIntegerField(
        null=True, blank=True, help_text="Messages on its streams that nobody has read yet."
    )
    lag_seconds = models.FloatField(
        null=True, blank=True, help_text="Age of the oldest message that is not finished."
    )
    streams = models.JSONField(default=list, help_text="The same by stream.")
    counts = models.JSONField(default=list, help_text="[type, outcome, messages] since its start.")
    steps = models.JSONField(default=list, help_text="[step, batches, seconds] since its start.")
    tasks_unsent = models.PositiveBigIntegerField(
        default=0, help_text="Tasks the queue did not take: the sweep does their work."
    )
    last_error = models.TextField(blank=True)
    last_error_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["group", "name"]
        verbose_name = "consumer"
        constraints = [models.UniqueConstraint(name="one_consumer", fields=["group", "name"])]

    def __str__(self) -> str:
        return self.name


class StreamPosition(models.Model):
    """How far a group had read when its books last balanced. Redis can lose that or be told
    otherwise; this row is how we notice.
    """

    group = models.CharField(max_length=120)
    stream = models.CharField(max_length=255)
    # In the form of consumer.books.sortable.
    delivered = models.CharField(max_length=41)
    checked_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(name="one_position", fields=["group", "stream"])]

    def __str__(self) -> str:
        return f"{self.group} on {self.stream}"


class Incident(models.Model):
    """Something that happened to the messages on the bus, found by a consumer."""

    class Kind(models.TextChoices):
        TRIMMED = "trimmed", "Lost: trimmed from the stream before it was read"
        TRIMMED_PENDING = "trimmed_pending", "Lost: trimmed while it was being processed"
        SKIPPED = "skipped", "Skipped: the group was moved past unread messages"
        REPEATED = "repeated", "Read again: the group was moved back"
        RECREATED = "recreated", "The group was gone, and was made again"
        RESET = "reset", "The stream is younger than what was read from it"

    LOST = (Kind.TRIMMED, Kind.TRIMMED_PENDING, Kind.SKIPPED)

    kind = models.CharField(max_length=20, choices=Kind.choices)
    group = models.CharField(max_length=120)
    stream = models.CharField(max_length=255)
    count = models.PositiveBigIntegerField(default=0, help_text="Messages concerned.")
    after_id = models.CharField(max_length=41, blank=True, help_text="They came after this id")
    before_id = models.CharField(max_length=41, blank=True, help_text="and before this one.")
    ids = models.JSONField(default=list, blank=True, help_text="Their ids, where they are known.")
    detail = models.TextField(blank=True)
    noticed_by = models.CharField(max_length=120, blank=True)
    noticed_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        verbose_name = "bus incident"
        # Read by the metrics, which add these few rows up by stream and kind.
        indexes = [models.Index(name="incident_kind", fields=["kind", "stream"])]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.stream})"
