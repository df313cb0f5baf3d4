"""Long work with one Credly organization, as a person sees it: how far it is, what came out."""

from collections.abc import Mapping
from typing import Final

from django.db import models
from django.db.models import Q

from credentials.models.issuance import Issuance
from credentials.models.template import CredlyOrganization

UNFINISHED: Final = ("waiting", "running")  # states that a run of any kind knows


class CredlyRun(models.Model):
    """One synchronisation or comparison. `counts` grow while it runs."""

    class Kind(models.TextChoices):
        SYNC = "sync", "Synchronise templates"
        COMPARE = "compare", "Compare badges"
        FIX = "fix", "Compare badges and fix"

    class State(models.TextChoices):
        WAITING = "waiting", "Waits for a worker"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        STOPPED = "stopped", "Stopped: too much would change"
        FAILED = "failed", "Failed"

    organization = models.ForeignKey(
        CredlyOrganization, on_delete=models.CASCADE, related_name="runs"
    )
    kind = models.CharField(max_length=10, choices=Kind.choices)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    limit_share = models.FloatField(
        "most that may change",
        null=True,
        blank=True,
        help_text="Share of the badges that a fix may change; empty: as the settings say.",
    )
    counts = models.JSONField(default=dict, blank=True)
    message = models.TextField(blank=True)
    requested_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = "Credly run"
        indexes = [
            # Read by the worker's sweep: the few that nobody has finished.
            models.Index(name="run_unfinished", fields=["id"], condition=Q(state__in=UNFINISHED)),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.organization}"

    @property
    def summary(self) -> str:
        """`Synchronise templates: done. 2 created, 1 changed.`"""
        counts = f" {in_words(self.counts)}." if self.counts else ""
        state = str(self.get_state_display()).partition(":")[0].lower()
        return f"{self.get_kind_display()}: {state}.{counts} {self.message}".strip()


class Difference(models.Model):
    """Where a badge at Credly and its credential here disagree, as the newest comparison saw it.
    Without names and addresses.
    """

    class Kind(models.TextChoices):
        REVOKED_THERE = "revoked_there", "Revoked at Credly but held here"
        GONE_THERE = "gone_there", "Gone from Credly but held here"
        NEVER_ISSUED = "never_issued", "Held here but never issued at Credly"
        LIVE_THERE = "live_there", "Held at Credly but revoked here"
        OTHER_STATE = "other_state", "Another state at Credly"
        UNRECORDED = "unrecorded", "Issued at Credly but given up here"
        UNKNOWN_HERE = "unknown_here", "Held at Credly but unknown here"
        OTHER_EMAIL = "other_email", "Issued to a former e-mail address"

    organization = models.ForeignKey(
        CredlyOrganization, on_delete=models.CASCADE, related_name="differences"
    )
    run = models.ForeignKey(CredlyRun, on_delete=models.CASCADE, related_name="differences")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    issuance = models.ForeignKey(
        Issuance, on_delete=models.CASCADE, null=True, blank=True, related_name="differences"
    )
    external_id = models.CharField("id at Credly", max_length=255, blank=True)
    here = models.CharField(max_length=20, blank=True, help_text="State here.")
    there = models.CharField(max_length=20, blank=True, help_text="State at Credly.")
    since = models.DateTimeField(
        null=True, blank=True, help_text="Since when Credly has its state."
    )
    outcome = models.TextField(blank=True, help_text="What fixing it did.")

    class Meta:
        ordering = ["id"]
        verbose_name = "difference"
        # Read by the start page of the admin.
        indexes = [models.Index(name="difference_open", fields=["kind"], condition=Q(outcome=""))]

    def __str__(self) -> str:
        return str(self.get_kind_display())


_KINDS: Final = dict(Difference.Kind.choices)
_ORDER: Final = (
    *("created", "changed", "unchanged", "archived", "pictures fetched", "pictures refused"),
    *("compared", "differences", *_KINDS, "of templates that are not active here"),
    *("fixed", "settled by themselves"),
)


def in_words(counts: Mapping[str, int]) -> str:
    """The counts of a run in one line, in an order that no database changes: `2 created, 1
    changed`.
    """
    shown = [(counts[name], str(_KINDS.get(name, name))) for name in _ORDER if name in counts]
    return ", ".join(f"{number} {name[:1].lower()}{name[1:]}" for number, name in shown)
