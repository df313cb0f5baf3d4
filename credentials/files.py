"""Files in the storage that rows name."""

from collections.abc import Iterable
from functools import partial
from typing import Any

import structlog
from django.db import transaction
from django.db.models.fields.files import FieldFile

from credentials.database import in_chunks

log = structlog.get_logger(__name__)


def discard(files: Iterable[FieldFile]) -> None:
    """Remove files of one field, replaced or of deleted rows, once that is committed, but for those
    that a row still names. Requires a transaction.
    """
    named = {each.name: each for each in files if each.name}
    if named:
        transaction.on_commit(partial(_discard, list(named.values())), robust=True)


def _discard(files: list[FieldFile]) -> None:
    field: Any = files[0].field
    for some in in_chunks(files):
        names = [each.name for each in some]
        rows = field.model.objects.filter(**{f"{field.name}__in": names})
        kept = set(rows.values_list(field.name, flat=True))
        for name in names:
            if name not in kept:
                _remove(field.storage, name)


def _remove(storage: Any, name: str | None) -> None:
    """One that cannot be removed must not keep the others."""
    try:
        storage.delete(name)
    except Exception:
        log.exception("file not removed", file=name)
