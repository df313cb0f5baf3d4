"""What can be awarded, and on whose behalf."""

import uuid
from collections.abc import Mapping
from typing import Final

from django.db import connection, models
from django.db.models import F, Q

from credentials import bulk
from credentials.secrets import decrypt, encrypt


class CredlyOrganization(models.Model):
    """An issuer at Credly. Its `uuid` is Credly's own id."""

    uuid = models.UUIDField(unique=True, help_text="The organization's id at Credly.")
    name = models.CharField(max_length=255, blank=True)
    api_key_encrypted = models.TextField(blank=True, editable=False)
    api_key_set_at = models.DateTimeField(null=True, blank=True, editable=False)
    api_key_expires_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="As Credly says; empty: not asked yet."
    )
    rotation_started_at = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="A rotation of the key began then, and its outcome is not known.",
    )
    api_key_env = models.CharField(
        "API key variable",
        max_length=100,
        blank=True,
        help_text="Name of the environment variable that holds the key, instead of a stored key.",
    )
    paused_reason = models.TextField(
        blank=True,
        editable=False,
        help_text="Why no call is made with this key: Credly refused it. Saving a new key resumes.",
    )
    issuing_paused_at = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="Since when a person keeps back what is due; empty: nobody does.",
    )
    issuing_paused_by = models.CharField(max_length=150, blank=True, editable=False)
    issuing_paused_reason = models.TextField(blank=True, editable=False)
    # The circuit breaker: see credentials.issuing.breaker, which alone writes these.
    failures = models.PositiveIntegerField(
        default=0, editable=False, help_text="Calls that failed in a row through no fault of ours."
    )
    failing_since = models.DateTimeField(null=True, blank=True, editable=False)
    last_failure = models.TextField(blank=True, editable=False)
    breaker_until = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="No call before then, and then a single one as a trial; empty: as many as fit.",
    )
    synced_at = models.DateTimeField("last synchronised", null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "Credly organization"

    def __str__(self) -> str:
        return self.name or str(self.uuid)

    @property
    def is_paused(self) -> bool:
        """By Credly, which refused the key, or by a person."""
        return bool(self.paused_reason) or self.issuing_paused_at is not None

    def set_api_key(self, api_key: str) -> None:
        self.api_key_encrypted = encrypt(api_key)

    def stored_api_key(self) -> str:
        """The decrypted key; empty when none is stored."""
        return decrypt(self.api_key_encrypted) if self.api_key_encrypted else ""


class BadgeTemplate(models.Model):
    """A badge that can be earned. With provider credly its `uuid` is Credly's id."""

    class Reissue(models.TextChoices):
        NEVER = "never", "Never: once revoked, it stays revoked"
        ALLOWED = "allowed", "Allowed: it can be earned again"

    class NamePolicy(models.TextChoices):
        PROFILE = "profile", "Profile name"
        PREFERRED = "preferred", "Verified name for learners who opted in"
        VERIFIED_IF_AVAILABLE = "verified_if_available", "Verified name when there is one"
        VERIFIED_REQUIRED = "verified_required", "Verified name only: wait until there is one"

    uuid = models.UUIDField(unique=True, default=uuid.uuid4)
    name = models.CharField(max_length=255)
    description = models.TextField(blank=True)
    image_url = models.URLField(max_length=1000, blank=True)
    image = models.FileField(
        max_length=255,
        blank=True,
        editable=False,
        help_text="Our own copy of the picture at the image URL.",
    )
    image_source = models.URLField(
        max_length=1000, blank=True, editable=False, help_text="Where the copy came from."
    )
    organization = models.ForeignKey(
        CredlyOrganization,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="templates",
        help_text="The Credly organization that issues it; empty for self-hosted providers.",
    )
    providers = models.JSONField(
        default=list, help_text="Where awards are issued, for example credly."
    )
    is_active = models.BooleanField(
        "active", default=False, help_text="Only active templates are matched against events."
    )
    reissue = models.CharField(max_length=10, choices=Reissue.choices, default=Reissue.NEVER)
    name_policy = models.CharField(
        max_length=30, choices=NamePolicy.choices, default=NamePolicy.VERIFIED_IF_AVAILABLE
    )
    provider_state = models.CharField(
        "state at Credly",
        max_length=20,
        blank=True,
        editable=False,
        help_text="What Credly last said: active, draft or archived.",
    )
    provider_updated_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When Credly last changed it."
    )
    note = models.TextField(
        blank=True, editable=False, help_text="What the service changed by itself, and why."
    )
    created = models.DateTimeField(auto_now_add=True)
    modified = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.CheckConstraint(
                name="template_reissue_is_known", condition=Q(reissue__in=["never", "allowed"])
            ),
        ]

    def __str__(self) -> str:
        return self.name


class DefinitionsVersion(models.Model):
    """One row that counts changes of templates and their rules.

    Every process keeps the compiled rules and reads this number once per batch: a new number
    means "load again". Whoever changes a template, requirement, rule or penalty calls `bump`
    in the same transaction.

    Note [An edit waits for the batches before it]
        A batch that ends after an edit, under the rules of before, would leave progress that the
        edit never saw: somebody who meets everything, and no award. So whoever applies rules takes
        `lock_for_reading`, which many have at a time, and whoever changes them `lock_for_writing`,
        which waits for those and lets the next ones wait. Both take it before all other locks:
        else an edit waits for a batch that waits for a template of the edit. Whoever acts on what
        an edit lets go of, as the worker on a policy of names, takes the former too.
    """

    SOLE = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=SOLE)
    number = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(name="definitions_version_is_one_row", condition=Q(id=1)),
        ]

    def __str__(self) -> str:
        return str(self.number)

    @classmethod
    def bump(cls) -> None:
        """Requires the transaction of the change."""
        if not cls.objects.filter(pk=cls.SOLE).update(number=F("number") + 1):
            cls.objects.get_or_create(pk=cls.SOLE, defaults={"number": 1})

    @classmethod
    def lock_for_reading(cls) -> None:
        """No definition changes until the transaction ends. One statement; on SQLite none, there
        is one transaction at a time.
        """
        _run(_READING)

    @classmethod
    def lock_for_writing(cls) -> None:
        """Nobody applies rules, or changes them, until the transaction ends."""
        _run(_WRITING)

    @classmethod
    def current(cls) -> int:
        rows = bulk.select(cls, ("number",), where=("id",), among=[(cls.SOLE,)])
        return int(rows[0][0]) if rows else 0


# By vendor. Not PostgreSQL's lock on the row: there, readers who overlap pass by a writer for ever.
_READING: Final = {
    "postgresql": "LOCK TABLE credentials_definitionsversion IN ROW SHARE MODE",
    "mysql": "SELECT number FROM credentials_definitionsversion LOCK IN SHARE MODE",
}
_WRITING: Final = {
    "postgresql": "LOCK TABLE credentials_definitionsversion IN EXCLUSIVE MODE",
    "mysql": "SELECT number FROM credentials_definitionsversion FOR UPDATE",
}


def _run(statements: Mapping[str, str]) -> None:
    if statement := statements.get(connection.vendor):
        with connection.cursor() as cursor:
            cursor.execute(statement)
