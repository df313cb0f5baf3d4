"""Every state that the rules of an active template ever had."""

from django.db import models

from credentials.models import BadgeTemplate


class RulesVersion(models.Model):
    """A snapshot, made whenever the rules of an active template change or a template is activated.
    Fulfillments, decisions and credentials carry the number they were made under.
    """

    template = models.ForeignKey(BadgeTemplate, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    snapshot = models.JSONField(help_text="Groups, requirements and penalties, as they were.")
    created = models.DateTimeField()

    class Meta:
        ordering = ["template", "-number"]
        constraints = [
            models.UniqueConstraint(name="one_version_number", fields=["template", "number"]),
        ]

    def __str__(self) -> str:
        return f"{self.template}, version {self.number}"
