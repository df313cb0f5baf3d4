"""System checks of the credentials app: settings that cannot work, and how to mend them."""

import sqlite3
from collections.abc import Collection, Iterable
from typing import Any, Final

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004 -- Django's name
from django.db import connections
from django.utils import timezone
from django.utils.module_loading import import_string

from credentials.models import CredlyOrganization
from credentials.providers.credly import keys

_SQLITE: Final = (3, 33)
_INTERFACE: Final = ("check", "issue", "find", "revoke", "is_paused")


@register(Tags.compatibility)
def providers_work(**_kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    for name, path in settings.PROVIDERS.items():
        try:
            provider = import_string(path)
        except ImportError as error:
            found.append(
                Error(
                    f"PROVIDERS[{name!r}] = {path!r} cannot be imported: {error}",
                    hint="Write the dotted path of a provider class.",
                    id="credentials.E001",
                )
            )
            continue
        missing = [each for each in _INTERFACE if not callable(getattr(provider, each, None))]
        if missing:
            found.append(
                Error(
                    f"PROVIDERS[{name!r}] = {path!r} has no {', '.join(missing)}.",
                    hint="Implement Provider of credentials/providers/base.py.",
                    id="credentials.E006",
                )
            )
            continue
        found += [Error(fault, id="credentials.E003") for fault in provider().check()]
    return found


@register(Tags.compatibility)
def seams_fit(**_kwargs: Any) -> list[CheckMessage]:
    """What this app needs from higher ones."""
    paths = [(name, getattr(settings, name)) for name in ("NAME_RESOLVER", "AFTER_RENAMING")]
    paths += [("LEARNER_ERASERS", path) for path in settings.LEARNER_ERASERS]
    found: list[CheckMessage] = []
    for setting, path in paths:
        why = _why_no_function(path)
        if why:
            hint = "Write the dotted path of a function, see docs/badges/settings.md."
            found.append(
                Error(f"{setting} names {path!r}: {why}.", hint=hint, id="credentials.E005")
            )
    return found


def _why_no_function(path: str) -> str:
    try:
        return "" if callable(import_string(path)) else "it is not a function"
    except ImportError as error:
        return str(error)


@register(Tags.security)
def encryption_keys_fit(**_kwargs: Any) -> list[CheckMessage]:
    for key in settings.LAUREL_ENCRYPTION_KEYS:
        try:
            Fernet(key)
        except ValueError:
            return [
                Error(
                    "LAUREL_ENCRYPTION_KEY holds something that is no Fernet key.",
                    hint="Make one with: python -c 'from cryptography.fernet import Fernet; "
                    "print(Fernet.generate_key().decode())'",
                    id="credentials.E002",
                )
            ]
    return []


# The only two that compare character by character and do not ignore spaces at the end: MariaDB's
# and MySQL's.
_EXACT_COLLATIONS: Final = frozenset({"utf8mb4_nopad_bin", "utf8mb4_0900_bin"})
_COLLATIONS: Final = """
    SELECT @@collation_database
    UNION
    SELECT collation_name FROM information_schema.columns
    WHERE table_schema = database() AND data_type = 'varchar'
"""


@register(Tags.database)
def text_is_compared_exactly(
    databases: Iterable[str] | None = None, **_kwargs: Any
) -> list[CheckMessage]:
    """Run by `migrate`, before it makes a table, and by `check --database default`."""
    found: list[CheckMessage] = []
    for alias in databases or ():
        if connections[alias].vendor != "mysql":
            continue
        with connections[alias].cursor() as cursor:
            cursor.execute(_COLLATIONS)
            wrong = sorted({name for (name,) in cursor.fetchall()} - _EXACT_COLLATIONS)
        if wrong:
            found.append(
                Error(
                    f"The database compares text by {', '.join(wrong)}: learners, topics and ids "
                    "that differ only in case, in accents or in spaces at the end would be one.",
                    hint="Make it with: CREATE DATABASE laurel CHARACTER SET utf8mb4 COLLATE "
                    "utf8mb4_nopad_bin (on MySQL utf8mb4_0900_bin).",
                    id="credentials.E007",
                )
            )
    return found


@register(Tags.database)
def sqlite_knows_the_statements(
    databases: Iterable[str] | None = None, **_kwargs: Any
) -> list[CheckMessage]:
    """UPDATE ... FROM, of which the bulk statements make use, came with 3.33 (August 2020)."""
    used = any(connections[alias].vendor == "sqlite" for alias in databases or ())
    if not used or sqlite3.sqlite_version_info >= _SQLITE:
        return []
    return [
        Error(
            f"The SQLite of this Python is {sqlite3.sqlite_version}, which is too old.",
            hint="Use PostgreSQL, or a Python with SQLite 3.33 or newer.",
            id="credentials.E008",
        )
    ]


@register(Tags.security, deploy=True)
def secrets_are_set(**_kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if settings.SECRET_KEY_IS_DEFAULT:
        found.append(
            Error(
                "SECRET_KEY is the development key.",
                hint="Set SECRET_KEY to a long random text.",
                id="credentials.E004",
            )
        )
    if settings.LAUREL_ENCRYPTION_KEY_IS_DERIVED:
        found.append(
            Warning(
                "LAUREL_ENCRYPTION_KEY is not set: provider keys are encrypted with a key derived "
                "from SECRET_KEY, and changing that would make them unreadable.",
                hint="Set LAUREL_ENCRYPTION_KEY to a Fernet key.",
                id="credentials.W001",
            )
        )
    if not settings.CREDLY_WEBHOOK_SECRET:
        found.append(
            Warning(
                "CREDLY_WEBHOOK_SECRET is not set: Credly's webhook is off, so what happens at "
                "Credly does not come back.",
                hint="Set it to a long random text and enter the address at Credly.",
                id="credentials.W002",
            )
        )
    return found


@register(Tags.database, deploy=True)
def keys_last(databases: Collection[str] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """Asks the database: `manage.py check --deploy --database default`."""
    if not databases:
        return []
    now = timezone.now()
    return [
        Warning(
            f"The key of {organization} at Credly "
            + (f"ends in {days} days." if days >= 0 else "is over."),
            hint="Rotate it on the organization's page in the admin.",
            id="credentials.W003",
        )
        for organization, days in keys.expiring(CredlyOrganization.objects.all(), now=now)
    ]
