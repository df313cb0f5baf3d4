"""Drawing a certificate and making it available, so that any step can be done again."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import attrs
from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from certificates import links
from certificates.assets import StoredAssets
from certificates.delivery import files, mail
from certificates.generators.base import Content
from certificates.generators.registry import STANDARD, complete, generator
from certificates.generators.standard import default_options
from certificates.models import Certificate, CertificateLayout, CredentialType
from credentials.models import BadgeTemplate, Issuance

State = Certificate.State
_OPEN: Final = (State.WAITING, State.AVAILABLE)


@attrs.frozen
class Plan:
    """Who draws, and how."""

    generator: str
    options: Mapping[str, Any]


def begin(issuance: Issuance) -> Certificate:
    """The row of this issuance: made once, so its uuid is the same at each attempt."""
    certificate, _ = Certificate.objects.get_or_create(issuance=issuance)
    return certificate


def plan_for(template: BadgeTemplate) -> Plan:
    """Its layout when that is in use, else who draws for the type of its oldest schedule that names
    somebody, else the packaged design.
    """
    row = CertificateLayout.objects.filter(template=template, in_use=True).first()
    if row is not None:
        return Plan(row.generator, complete(row.generator, row.options))
    types = CredentialType.objects.filter(schedules__template=template).exclude(generator="")
    named = types.order_by("schedules__pk").values_list("generator", flat=True).first()
    if named is None or named == STANDARD:
        return Plan(STANDARD, default_options())
    return Plan(named, complete(named, {}))


def content_of(issuance: Issuance, *, verify_uuid: UUID, options: Mapping[str, Any]) -> Content:
    credential = issuance.credential
    return content(
        credential.template,
        name=issuance.issued_name or credential.issued_name,
        awarded_at=credential.awarded_at,
        verify_uuid=verify_uuid,
        options=options,
    )


def content(
    template: BadgeTemplate,
    *,
    name: str,
    awarded_at: datetime,
    verify_uuid: UUID,
    options: Mapping[str, Any],
) -> Content:
    organization = template.organization
    return Content(
        name=name,
        context_name=options.get("context_name") or template.name,
        issuer=(organization.name if organization else "") or settings.ISSUER_NAME,
        awarded_on=_day(awarded_at, zone=options.get("time_zone", "")),
        verify_uuid=verify_uuid,
        verify_url=links.verify_url(verify_uuid),
        language=options.get("language") or settings.LANGUAGE_CODE,
    )


def _day(moment: datetime, *, zone: str) -> date:
    """In the time zone of the service, unless the layout names another."""
    place = ZoneInfo(zone) if zone else timezone.get_default_timezone()
    return moment.astimezone(place).date()


def draw(printed: Content, *, plan: Plan) -> bytes:
    """Raises Undrawable, UnknownAssetError, UnknownPluginError and what the generator raises."""
    return generator(plan.generator)(printed, plan.options, assets=StoredAssets())


def make_available(certificate: Certificate, *, printed: Content, data: bytes) -> bool:
    """Writes the file, then says so. False when the learner left meanwhile: then nobody is given
    the file, and whoever carries out the revocation removes it. Opens a transaction.
    """
    files.publish(certificate.verify_uuid, data=data)
    with transaction.atomic():
        done = Certificate.objects.filter(pk=certificate.pk, state__in=_OPEN).update(
            state=State.AVAILABLE,
            name=printed.name,
            context_name=printed.context_name,
            issuer=printed.issuer,
            awarded_on=printed.awarded_on,
            language=printed.language,
            size=len(data),
            drawn_at=Now(),
        )
        if done:
            mail.write_row(certificate)
    return bool(done)


def is_complete(certificate: Certificate) -> bool:
    """Drawn as it is wanted now, and its file is whole."""
    return (
        certificate.state == State.AVAILABLE
        and certificate.drawn_at is not None
        and files.is_published(certificate.verify_uuid, size=certificate.size)
    )
