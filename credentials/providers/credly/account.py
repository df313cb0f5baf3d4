"""The account of one organization: its key, a client with it, and pausing when it is refused."""

import os
from datetime import datetime

import requests
from django.conf import settings

from credentials.models import CredlyOrganization
from credly_client.client import CredlyClient


class KeyMissingError(ValueError):
    """The organization has no usable key. Enter one in admin, or set the named variable."""


def api_key(organization: CredlyOrganization) -> str:
    """The key, from the named environment variable or from the database.

    Raises KeyMissingError, credentials.secrets.UndecryptableError.
    """
    if organization.api_key_env:
        # Named by an admin at run time, so it cannot be read by settings.py beforehand.
        # Secrets mounted from files often end with a line break.
        key = os.environ.get(organization.api_key_env, "").strip()
        if not key:
            raise KeyMissingError(
                f"The environment variable {organization.api_key_env} is not set in this process."
            )
        return key
    key = organization.stored_api_key()
    if not key:
        raise KeyMissingError(f"No API key is stored for the organization {organization}.")
    return key


def client(
    organization: CredlyOrganization,
    *,
    key: str | None = None,
    session: requests.Session | None = None,
) -> CredlyClient:
    """`key` tries another key than the stored one. Raises the errors of `api_key`."""
    token = key or api_key(organization)
    try:
        return CredlyClient(
            base_url=settings.CREDLY_API_BASE_URL,
            organization_id=organization.uuid,
            token=token,
            session=session,
        )
    except ValueError as error:  # says what is wrong, without the key
        raise KeyMissingError(f"No client for the organization {organization}: {error}") from None


def pause(organization: CredlyOrganization, *, reason: str) -> None:
    """No more calls with this key, until somebody enters another or resumes it in admin. A call
    with a former key that ends only now says nothing about the one that was entered meanwhile.
    """
    CredlyOrganization.objects.filter(
        pk=organization.pk,
        api_key_encrypted=organization.api_key_encrypted,
        api_key_env=organization.api_key_env,
    ).update(paused_reason=reason)


def resume(organization: CredlyOrganization) -> None:
    CredlyOrganization.objects.filter(pk=organization.pk).update(paused_reason="")


def store_key(organization: CredlyOrganization, *, key: str, now: datetime) -> None:
    """Encrypt and keep a new key, and resume the account. Saves the row."""
    organization.set_api_key(key)
    organization.api_key_set_at = now
    organization.paused_reason = ""
    organization.save()
