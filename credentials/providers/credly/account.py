"""The account of one organization: its key, a client with it, and pausing when it is refused."""

import math
import os
import threading
import time
from datetime import datetime
from http.client import INTERNAL_SERVER_ERROR, TOO_MANY_REQUESTS
from typing import ClassVar

from django.conf import settings
from requests import Session

from credentials.models import CredlyOrganization
from credentials.secrets import encrypt
from credly_client import transport
from credly_client.client import CredlyClient
from credly_client.errors import Unreachable
from credly_client.requests import Request
from credly_client.responses import Answer

IDLE = 15.0
"""Seconds. Whoever is on the way may have forgotten a connection that was silent for longer."""
_threads = threading.local()


class KeyMissingError(ValueError):
    """The organization has no usable key. Enter one in admin, or set the named variable."""


class PatientClient(CredlyClient):
    """A page that is answered with 429 or 5xx, or not at all, is asked for again after a pause, so
    that one bad moment does not end a walk of an hour. Calls that change something are not.
    """

    PAUSES: ClassVar = (1.0, 5.0, 15.0, 40.0)  # seconds
    LONGEST: ClassVar = 60.0

    def _send(self, request: Request) -> Answer:
        for pause in self.PAUSES if not request.changes else ():
            asked = ""
            try:
                answer = super()._send(request)
                if answer.status != TOO_MANY_REQUESTS and answer.status < INTERNAL_SERVER_ERROR:
                    return answer
                asked = answer.headers.get("retry-after", "")
            except Unreachable:
                pass
            time.sleep(min(max(pause, float(asked) if asked.isdecimal() else 0), self.LONGEST))
        return super()._send(request)


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
    kind: type[CredlyClient] = CredlyClient,
    session: Session | None = None,
) -> CredlyClient:
    """`key` tries another key than the stored one. Raises the errors of `api_key`."""
    token = key or api_key(organization)
    try:
        return kind(
            base_url=settings.CREDLY_API_BASE_URL,
            organization_id=organization.uuid,
            token=token,
            session=session,
        )
    except ValueError as error:  # says what is wrong, without the key
        raise KeyMissingError(f"No client for the organization {organization}: {error}") from None


def session() -> Session:
    """One of the thread's own, so that calls that follow one another share a connection."""
    now = time.monotonic()
    if now - getattr(_threads, "used_at", -math.inf) > IDLE:
        _threads.session = transport.new_session()
    _threads.used_at = now
    kept: Session = _threads.session
    return kept


def patient_client(organization: CredlyOrganization) -> CredlyClient:
    """For lists of many pages. Raises the errors of `api_key`."""
    return client(organization, kind=PatientClient)


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
    forget_former_key(organization)
    organization.save()


def forget_former_key(organization: CredlyOrganization) -> None:
    """What was known of the former key says nothing about another one. Does not save."""
    organization.api_key_expires_at = organization.rotation_started_at = None
    organization.paused_reason = ""


def replace_key(
    organization: CredlyOrganization, *, key: str, expires_at: datetime | None, now: datetime
) -> None:
    """Like `store_key`, but writes the columns of the key only: for when others may be editing."""
    CredlyOrganization.objects.filter(pk=organization.pk).update(
        api_key_encrypted=encrypt(key),
        api_key_set_at=now,
        api_key_expires_at=expires_at,
        rotation_started_at=None,
        paused_reason="",
    )
