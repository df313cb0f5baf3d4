"""Django's backend for MySQL and MariaDB, where two of its answers do not fit Laurel.

Laurel compares text exactly, so its database has a binary collation (docs/badges/settings.md). What
Django leaves to the collation, searching without regard to case, is said here instead.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.db.backends.mysql import base, operations
from django.db.models import Field
from django.db.models.constants import OnConflict

_CASELESS: Final = frozenset({"iexact", "icontains", "istartswith", "iendswith"})
_TEXT: Final = frozenset({"CharField", "SlugField", "TextField"})
_SEARCH_COLLATION: Final = "utf8mb4_unicode_ci"


class DatabaseOperations(operations.DatabaseOperations):
    def lookup_cast(self, lookup_type: str, internal_type: str | None = None) -> str:
        cast: str = super().lookup_cast(lookup_type, internal_type)
        if lookup_type in _CASELESS and self._is_text(internal_type):
            return f"{cast} COLLATE {_SEARCH_COLLATION}"
        return cast

    def _is_text(self, internal_type: str | None) -> bool:
        if internal_type == "UUIDField":
            return not self.connection.features.has_native_uuid_field
        return internal_type in _TEXT

    def insert_statement(self, on_conflict: OnConflict | None = None) -> str:
        """Not INSERT IGNORE: it also cuts what is too long and clamps what is out of range."""
        return super().insert_statement(None if on_conflict is OnConflict.IGNORE else on_conflict)

    def on_conflict_suffix_sql(
        self,
        fields: "Sequence[Field[Any, Any]]",
        on_conflict: OnConflict | None,
        update_fields: Iterable[str],
        unique_fields: Iterable[str],
    ) -> str:
        if on_conflict is OnConflict.IGNORE:
            column = self.quote_name(fields[0].attname)
            return f"ON DUPLICATE KEY UPDATE {column} = {column}"
        suffix: str = super().on_conflict_suffix_sql(
            fields, on_conflict, update_fields, unique_fields
        )
        return suffix


class DatabaseWrapper(base.DatabaseWrapper):
    ops_class = DatabaseOperations
