"""The public addresses of a certificate."""

from uuid import UUID

from django.conf import settings
from django.urls import reverse


def verify_url(verify_uuid: UUID) -> str:
    return _absolute(reverse("certificate-verify", args=[str(verify_uuid)]))


def file_url(verify_uuid: UUID) -> str:
    return _absolute(reverse("certificate-file", args=[str(verify_uuid)]))


def _absolute(path: str) -> str:
    base: str = settings.PUBLIC_BASE_URL.rstrip("/")
    return base + path
