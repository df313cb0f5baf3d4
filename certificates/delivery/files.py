"""The files of certificates in the configured storage: public ones, and the archive.

A file has one name, made of the certificate's uuid: whoever writes it again, after whatever crash,
writes over it. The web server gives out what stands in the public folder only, and asks the
database first.
"""

from typing import Final
from uuid import UUID

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

_PUBLIC: Final = "certificates/public"
_ARCHIVE: Final = "certificates/archive"


class StorageError(Exception):
    """The storage does not do what it should; the message says what it said."""


def public_name(verify_uuid: UUID) -> str:
    return f"{_PUBLIC}/{verify_uuid}.pdf"


def archive_name(verify_uuid: UUID) -> str:
    return f"{_ARCHIVE}/{verify_uuid}.pdf"


def publish(verify_uuid: UUID, *, data: bytes) -> None:
    _write(public_name(verify_uuid), data)


def is_published(verify_uuid: UUID, *, size: int | None) -> bool:
    """Whole: a writer that was killed leaves less."""
    name = public_name(verify_uuid)
    return default_storage.exists(name) and default_storage.size(name) == size


def archive(verify_uuid: UUID) -> None:
    """Out of the public folder, also when it was half done before, or there is no file."""
    public = public_name(verify_uuid)
    if default_storage.exists(public):
        _write(archive_name(verify_uuid), read(public))
        default_storage.delete(public)


def archived(verify_uuid: UUID) -> bytes | None:
    """None: it is not there yet, or nothing was ever drawn."""
    name = archive_name(verify_uuid)
    return read(name) if default_storage.exists(name) else None


def erase(verify_uuid: UUID) -> None:
    for name in (public_name(verify_uuid), archive_name(verify_uuid)):
        if default_storage.exists(name):
            default_storage.delete(name)


def read(name: str) -> bytes:
    with default_storage.open(name) as file:
        content: bytes = file.read()
    return content


def _write(name: str, data: bytes) -> None:
    """Not every storage writes over what is there: some would take another name."""
    if default_storage.exists(name):
        default_storage.delete(name)
    written = default_storage.save(name, ContentFile(data))
    if written != name:
        default_storage.delete(written)
        raise StorageError(f"The storage wrote {written} instead of {name}.")
