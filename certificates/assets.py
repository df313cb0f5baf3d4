"""The files that were uploaded to draw with, and what may not be uploaded."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Final

from django.core.files.storage import Storage

from certificates.generators.base import UnknownAssetError
from certificates.models import Asset, CertificateLayout
from certificates.pdf import layout

MEGABYTES: Final = 10  # of one file


class StoredAssets:
    """Those in the storage. Files are kept in memory: a template is read once per process, not
    once per certificate.
    """

    def read(self, slug: str, *, kind: str) -> bytes:
        """Raises UnknownAssetError."""
        row = Asset.objects.filter(slug=slug, kind=kind).first()
        if row is None:
            raise UnknownAssetError(f"no {kind} is called {slug}")
        return _content(row.file.name, row.sha256)


@lru_cache(maxsize=64)
def _content(name: str, digest: str) -> bytes:  # noqa: ARG001 -- tells one file of a name from the next
    with _storage().open(name) as file:
        content: bytes = file.read()
    return content


def upload_fault(data: bytes, *, kind: str) -> str:
    """Why this cannot be drawn with; empty when it can."""
    from certificates.pdf import uploads  # what reads the files takes its time

    if len(data) > MEGABYTES * 1024 * 1024:
        return f"This file is larger than {MEGABYTES} MB."
    checks: Mapping[str, Callable[[bytes], str]] = {
        Asset.Kind.PDF: uploads.pdf_fault,
        Asset.Kind.IMAGE: uploads.image_fault,
        Asset.Kind.FONT: uploads.font_fault,
    }
    check = checks.get(kind)
    return check(data) if check else "Choose what kind of file this is."


def _storage() -> Storage:
    return Asset._meta.get_field("file").storage  # noqa: SLF001 -- documented API


def slug_fault(slug: str) -> str:
    from certificates.pdf import typefaces  # what reads the files takes its time

    reserved = slug in {layout.PACKAGED_TEMPLATE, *typefaces.PACKAGED}
    return f"{slug} is the name of something that Laurel brings along." if reserved else ""


def digest(data: bytes) -> str:
    return sha256(data).hexdigest()


def users_of(asset: Asset) -> list[CertificateLayout]:
    """The layouts that name it."""
    rows = CertificateLayout.objects.select_related("template")
    return [row for row in rows if asset.slug in set(_texts(row.options))]


def _texts(value: object) -> list[str]:
    """Every text in options, whatever a generator of one's own calls its fields."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        value = list(value.values())
    return [text for part in value for text in _texts(part)] if isinstance(value, list) else []
