"""Requirements, penalties and their data rules, as an admin configures them."""

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q

from badges.rules.evidence import MAX_COUNT
from badges.rules.operators import OPERATORS
from credentials.models import BadgeTemplate

_KEY = RegexValidator(r"^[A-Za-z0-9._-]+\Z", "Use letters, digits, dot, dash and underscore only.")


class BadgeRequirement(models.Model):
    """One event type and the data rules that must all hold."""

    template = models.ForeignKey(
        BadgeTemplate, on_delete=models.CASCADE, related_name="requirements"
    )
    key = models.CharField(
        "id",
        max_length=100,
        validators=[_KEY],
        help_text="Short name, unique within the template, for example passed-intro.",
    )
    event_type = models.CharField(max_length=255)
    description = models.CharField(max_length=255, blank=True)
    group = models.CharField(
        max_length=100,
        blank=True,
        help_text="Requirements with the same label are alternatives; empty: must be met itself.",
    )
    count = models.PositiveIntegerField(
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_COUNT)],
        help_text="How many events are demanded.",
    )
    distinct_by = models.CharField(
        "different by",
        max_length=255,
        blank=True,
        help_text="Key path whose values must differ, for example course.course_key.",
    )
    within = models.CharField(
        max_length=50,
        blank=True,
        help_text="All events inside some period of this length: P30D is 30 days, PT12H 12 hours.",
    )
    after = models.ManyToManyField(
        "self",
        symmetrical=False,
        blank=True,
        related_name="dependents",
        help_text="Only events count that come after these requirements were fulfilled.",
    )

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(name="one_requirement_key", fields=["template", "key"]),
            models.CheckConstraint(
                name="requirement_count_fits", condition=Q(count__gte=1, count__lte=MAX_COUNT)
            ),
        ]

    def __str__(self) -> str:
        return self.description or self.key


class RequirementGroup(models.Model):
    """How many of a template's requirements with one group label must be met. A group without a
    row demands one.
    """

    template = models.ForeignKey(BadgeTemplate, on_delete=models.CASCADE, related_name="groups")
    label = models.CharField(max_length=100)
    required = models.PositiveIntegerField(default=1, validators=[MinValueValidator(1)])

    class Meta:
        ordering = ["label"]
        constraints = [
            models.UniqueConstraint(name="one_group_label", fields=["template", "label"]),
            models.CheckConstraint(name="group_demands_one", condition=Q(required__gte=1)),
        ]

    def __str__(self) -> str:
        return f"{self.required} of {self.label}"


class BadgePenalty(models.Model):
    """One event type and the data rules that, when all hold, reset the linked requirements."""

    template = models.ForeignKey(BadgeTemplate, on_delete=models.CASCADE, related_name="penalties")
    key = models.CharField("id", max_length=100, validators=[_KEY])
    event_type = models.CharField(max_length=255)
    description = models.CharField(max_length=255, blank=True)
    requirements = models.ManyToManyField(
        BadgeRequirement,
        related_name="penalties",
        verbose_name="resets",
        help_text="Requirements of the same template that this penalty resets; at least one.",
    )

    class Meta:
        ordering = ["id"]
        verbose_name_plural = "badge penalties"
        constraints = [
            models.UniqueConstraint(name="one_penalty_key", fields=["template", "key"]),
        ]

    def __str__(self) -> str:
        return self.description or self.key


class AbstractDataRule(models.Model):
    """Key path, operator, expected value."""

    path = models.CharField("key path", max_length=255)
    operator = models.CharField(max_length=20, choices=[(name, name) for name in OPERATORS])
    value = models.TextField(
        blank=True, help_text="Expected value; a list (in, not_in) is separated by commas."
    )

    class Meta:
        abstract = True
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.path} {self.operator} {self.value}".strip()


class DataRule(AbstractDataRule):
    requirement = models.ForeignKey(
        BadgeRequirement, on_delete=models.CASCADE, related_name="rules"
    )


class PenaltyDataRule(AbstractDataRule):
    penalty = models.ForeignKey(BadgePenalty, on_delete=models.CASCADE, related_name="rules")
