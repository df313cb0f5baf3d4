"""Requirements, penalties and their data rules, as an admin configures them."""

from django.core.validators import RegexValidator
from django.db import models

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

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(name="one_requirement_key", fields=["template", "key"]),
        ]

    def __str__(self) -> str:
        return self.description or self.key


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
