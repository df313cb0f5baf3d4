"""The files that were uploaded to draw with, and what may not be uploaded."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from hashlib import sha256
from types import MappingProxyType
from typing import Final

from django.core.files.storage import Storage

from certificates.generators.base import UnknownAssetError
from certificates.models import Asset, CertificateLayout
from certificates.pdf import layout, typefaces, uploads

_FAULTS: Final[Mapping[str, Callable[[bytes], str]]] = MappingProxyType(
    {
        Asset.Kind.PDF: uploads.pdf_fault,
        Asset.Kind.IMAGE: uploads.image_fault,
        Asset.Kind.FONT: uploads.font_fault,
    }
)
_RESERVED: Final = frozenset({layout.PACKAGED_TEMPLATE, *typefaces.PACKAGED})


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
    if len(data) > uploads.MEGABYTES * 1024 * 1024:
        return f"This file is larger than {uploads.MEGABYTES} MB."
    check = _FAULTS.get(kind)
    return check(data) if check else "Choose what kind of file this is."


def _storage() -> Storage:
    return Asset._meta.get_field("file").storage  # noqa: SLF001 -- documented API


def slug_fault(slug: str) -> str:
    return f"{slug} is the name of something that Laurel brings along." if slug in _RESERVED else ""


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
