"""What is done every night for every organization, whether or not anybody looks."""

from datetime import datetime

import structlog

from credentials.models import CredlyOrganization, CredlyRun
from credentials.providers.credly import keys, runs

log = structlog.get_logger(__name__)


def begin(*, now: datetime) -> None:
    """Ask for the end of each key, warn of those that end soon, and have templates synchronised
    and badges compared. Nothing of a paused account. Must not be called in a transaction.
    """
    in_use = CredlyOrganization.objects.filter(paused_reason="")
    for organization in in_use.order_by("pk"):
        keys.ask_expiry(organization)
        runs.request(organization, kind=CredlyRun.Kind.SYNC, now=now)
        runs.request(organization, kind=CredlyRun.Kind.COMPARE, now=now)
    for organization, days in keys.expiring(CredlyOrganization.objects.all(), now=now):
        log.warning("key ends soon", organization=str(organization.uuid), days=days)
