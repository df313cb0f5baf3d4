"""Badge templates of an organization, taken over from Credly."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import attrs
from django.db import transaction

from credentials.models import BadgeTemplate, CredlyOrganization, DefinitionsVersion
from credentials.providers.credly import account
from credly_client import types
from credly_client.types import TemplateState


@attrs.frozen
class SyncResult:
    """How many templates of one organization were created, changed, left alone or archived."""

    created: int
    changed: int
    unchanged: int
    archived: int


def sync(organization: CredlyOrganization, *, clock: Callable[[], datetime]) -> SyncResult:
    """Pull every template. New ones come inactive; what vanished is archived, never deleted.

    Raises credly_client.errors.CredlyError and the errors of account.api_key; a page that fails
    leaves what came before it taken over, and archives nothing.
    """
    outcomes: list[str] = []
    seen: set[UUID] = set()
    with account.client(organization) as client:
        for template in client.list_templates():
            seen.add(template.id)
            outcomes.append(take_over(organization, template))
    gone = BadgeTemplate.objects.filter(organization=organization).exclude(uuid__in=seen)
    archived = [archive(each, why="It is no longer listed at Credly.") for each in gone]
    CredlyOrganization.objects.filter(pk=organization.pk).update(synced_at=clock())
    return SyncResult(
        created=outcomes.count("created"),
        changed=outcomes.count("changed"),
        unchanged=outcomes.count("unchanged"),
        archived=sum(archived),
    )


def take_over(organization: CredlyOrganization, template: types.BadgeTemplate) -> str:
    """Create or update our row; returns created, changed or unchanged. Opens a transaction."""
    facts = {
        "name": template.name[:255],
        "description": template.description,
        "image_url": template.image_url or "",
        "provider_state": template.state,
    }
    with transaction.atomic():
        row = BadgeTemplate.objects.select_for_update().filter(uuid=template.id).first()
        if row is None:
            BadgeTemplate.objects.create(
                uuid=template.id, organization=organization, providers=["credly"], **facts
            )
            return "created"
        if row.organization_id != organization.pk:
            return "unchanged"  # somebody else's template: their organization decides
        if all(getattr(row, name) == value for name, value in facts.items()):
            return "unchanged"
        for name, value in facts.items():
            setattr(row, name, value)
        if template.state != TemplateState.ACTIVE:
            _deactivate(row, why=f"Credly says the template is {template.state}.")
        row.save()
        DefinitionsVersion.bump()
        return "changed"


def archive(row: BadgeTemplate, *, why: str) -> bool:
    """Mark as archived and deactivate. False when it was archived before. Opens a transaction."""
    if row.provider_state == TemplateState.ARCHIVED:
        return False
    with transaction.atomic():
        row.provider_state = TemplateState.ARCHIVED
        _deactivate(row, why=why)
        row.save()
        DefinitionsVersion.bump()
    return True


def _deactivate(row: BadgeTemplate, *, why: str) -> None:
    if row.is_active:
        row.is_active = False
        row.note = f"Deactivated by the service: {why}"
