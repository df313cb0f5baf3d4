"""How the certificates of a badge template look."""

from django.core.validators import RegexValidator
from django.db import models

from credentials.models import BadgeTemplate

STANDARD = "standard"


def _stored_as(asset: "Asset", filename: str) -> str:
    """By its slug: the name that somebody's computer gave it says nothing. Storage adds something
    to it when the file before it still stands there.
    """
    ending = filename.rpartition(".")[2].lower()[:8]
    return f"certificates/assets/{asset.slug}.{ending}"


class Asset(models.Model):
    """A file to draw with. Layouts name it by its slug."""

    class Kind(models.TextChoices):
        PDF = "pdf", "PDF: a template to draw upon"
        IMAGE = "image", "Picture: PNG or JPEG"
        FONT = "font", "Font: TrueType"

    slug = models.CharField(
        max_length=64,
        unique=True,
        validators=[
            RegexValidator(
                r"^[a-z0-9][a-z0-9_-]*$",
                "Small letters, digits, - and _, beginning with a letter or a digit.",
            )
        ],
        help_text="What layouts call it, for example acme-diploma.",
    )
    kind = models.CharField(max_length=10, choices=Kind.choices)
    file = models.FileField(upload_to=_stored_as, max_length=255)
    sha256 = models.CharField(max_length=64, editable=False)
    size = models.PositiveIntegerField(editable=False, help_text="Bytes.")
    uploaded_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["kind", "slug"]

    def __str__(self) -> str:
        return self.slug


class CertificateLayout(models.Model):
    """Without one that is in use, a template has the design that Laurel brings along."""

    template = models.OneToOneField(
        BadgeTemplate, on_delete=models.CASCADE, related_name="certificate_layout"
    )
    generator = models.CharField(
        max_length=64, default=STANDARD, help_text="Who draws: standard, or one of your own."
    )
    options = models.JSONField(
        default=dict, help_text="What the generator wants to know, see docs/badges/certificates.md."
    )
    in_use = models.BooleanField(
        default=False, help_text="Look at the preview first: certificates are drawn by it then."
    )
    modified = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["template__name"]

    def __str__(self) -> str:
        return f"Layout of {self.template}"
