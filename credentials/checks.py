"""System checks of the credentials app: settings that cannot work, and how to mend them."""

from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004 -- Django's name
from django.utils.module_loading import import_string


@register(Tags.compatibility)
def providers_exist(**_kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    for name, path in settings.PROVIDERS.items():
        try:
            import_string(path)
        except ImportError as error:
            found.append(
                Error(
                    f"PROVIDERS[{name!r}] = {path!r} cannot be imported: {error}",
                    hint="Write the dotted path of a provider class.",
                    id="credentials.E001",
                )
            )
    return found


@register(Tags.compatibility)
def seams_fit(**_kwargs: Any) -> list[CheckMessage]:
    """What this app needs from higher ones."""
    paths = [("NAME_RESOLVER", settings.NAME_RESOLVER)]
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


@register(Tags.compatibility)
def credly_url_fits(**_kwargs: Any) -> list[CheckMessage]:
    parts = urlsplit(settings.CREDLY_API_BASE_URL)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        return [
            Error(
                f"CREDLY_API_BASE_URL = {settings.CREDLY_API_BASE_URL!r} is no web address.",
                hint="Use https://api.credly.com/v1/ or https://sandbox-api.credly.com/v1/.",
                id="credentials.E003",
            )
        ]
    return []


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
