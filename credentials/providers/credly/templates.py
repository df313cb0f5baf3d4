"""Badge templates of an organization, taken over from Credly.

Note [Whose field is whose]
    Credly decides on name, description, picture and state of a template that it told us of
    (`provider_state` is set): they are overwritten here, and neither the admin's form nor an
    import changes them. Everything else is decided here. One field is shared: a template that is
    not active at Credly cannot be issued, so it is deactivated here; nothing activates it again
    but a person. Only these columns are written, so that what somebody else saves at the same
    moment stays.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Final, TypeVar
from uuid import UUID

import attrs
import structlog
from django.conf import settings
from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import F, Q, QuerySet

from credentials import files
from credentials.database import in_chunks, storable
from credentials.models import BadgeTemplate, CredlyOrganization, DefinitionsVersion
from credentials.providers.base import Counts, Report
from credentials.providers.credly import account, images
from credly_client import types
from credly_client.client import CredlyClient
from credly_client.errors import NotFound
from credly_client.types import TemplateState

log = structlog.get_logger(__name__)

T = TypeVar("T")
_PAGE: Final = 50
_ADDRESS_LENGTH: Final = 1000


@attrs.frozen
class _Facts:
    """What Credly says of a template, in our columns."""

    name: str
    description: str
    image_url: str
    provider_state: str
    provider_updated_at: datetime | None

    @classmethod
    def of(cls, template: types.BadgeTemplate) -> "_Facts":
        url = storable(template.image_url or "")
        return cls(
            name=storable(template.name, length=255),
            description=storable(template.description),
            image_url=url if len(url) <= _ADDRESS_LENGTH else "",
            provider_state=storable(template.state, length=20),
            provider_updated_at=template.updated_at,
        )


def sync(
    organization: CredlyOrganization, *, clock: Callable[[], datetime], report: Report
) -> Counts:
    """Pull every template. New ones come inactive; what vanished is archived, never deleted.

    Raises credly_client.errors.CredlyError and the errors of account.api_key; a page that fails
    leaves what came before it taken over, and archives nothing. A constant number of statements
    for a page. Must not be called in a transaction.
    """
    started = clock()
    counts = Counter(dict.fromkeys(("created", "changed", "unchanged", "archived"), 0))
    seen: set[UUID] = set()
    with account.patient_client(organization) as client:
        for page in pages(client.list_templates(), size=_PAGE):
            seen.update(each.id for each in page)
            counts.update(take_over(organization, page))
            report(counts)
        for row in _vanished(organization, seen=seen, before=started):
            counts[_look_again(organization, row, client=client)] += 1
            report(counts)
    CredlyOrganization.objects.filter(pk=organization.pk).update(synced_at=clock())
    for row in without_picture(BadgeTemplate.objects.filter(organization=organization)):
        counts["pictures fetched" if fetch_picture(row) else "pictures refused"] += 1
        report(counts)
    return counts


def pages(items: Iterable[T], *, size: int) -> Iterator[list[T]]:
    left = iter(items)
    while page := list(islice(left, size)):
        yield page


def take_over(
    organization: CredlyOrganization, templates: Sequence[types.BadgeTemplate]
) -> Counter[str]:
    """Create or update our rows; returns how many were created, changed, unchanged. Opens a
    transaction. Another organization's template is theirs to decide on: unchanged.
    """
    outcomes: Counter[str] = Counter()
    fresh: list[BadgeTemplate] = []
    changed: list[BadgeTemplate] = []
    with transaction.atomic():
        DefinitionsVersion.lock_for_writing()
        rows = BadgeTemplate.objects.select_for_update().filter(uuid__in=[t.id for t in templates])
        known = {row.uuid: row for row in rows.order_by("pk")}
        for template in templates:
            facts, row = _Facts.of(template), known.get(template.id)
            if template.owner_id not in {None, organization.uuid}:
                outcomes["unchanged"] += 1
            elif row is None:
                fresh.append(_new_row(organization, template.id, facts))
                outcomes["created"] += 1
            elif row.organization_id == organization.pk and _set(row, facts):
                changed.append(row)
                outcomes["changed"] += 1
            else:
                outcomes["unchanged"] += 1
        BadgeTemplate.objects.bulk_create(fresh, ignore_conflicts=True)
        _write(changed)
    return outcomes


def _new_row(organization: CredlyOrganization, uuid: UUID, facts: _Facts) -> BadgeTemplate:
    return BadgeTemplate(
        uuid=uuid, organization=organization, providers=["credly"], **attrs.asdict(facts)
    )


def _set(row: BadgeTemplate, facts: _Facts) -> bool:
    """Did anything change? What Credly said later is known already: older facts change nothing."""
    known, told = row.provider_updated_at, facts.provider_updated_at
    if known is not None and told is not None and told < known:
        return False
    differing = {
        name: value for name, value in attrs.asdict(facts).items() if getattr(row, name) != value
    }
    for name, value in differing.items():
        setattr(row, name, value)
    return bool(differing)


def _write(rows: Sequence[BadgeTemplate]) -> None:
    """Only the columns of Note [Whose field is whose]."""
    if not rows:
        return
    BadgeTemplate.objects.bulk_update(rows, [field.name for field in attrs.fields(_Facts)])
    for state in sorted({row.provider_state for row in rows} - {TemplateState.ACTIVE}):
        keys = [row.pk for row in rows if row.provider_state == state]
        _deactivate(
            BadgeTemplate.objects.filter(pk__in=keys), why=f"Credly says the template is {state}."
        )
    DefinitionsVersion.bump()


def archive(row: BadgeTemplate, *, why: str, at: datetime | None = None) -> bool:
    """Mark as archived and deactivate. False when it was archived before, or Credly said something
    later than `at`. Opens a transaction.
    """
    own = BadgeTemplate.objects.filter(pk=row.pk)
    if at is not None:
        own = own.filter(Q(provider_updated_at__isnull=True) | Q(provider_updated_at__lte=at))
    facts: dict[str, object] = {"provider_state": TemplateState.ARCHIVED}
    if at is not None:
        facts["provider_updated_at"] = at
    with transaction.atomic():
        DefinitionsVersion.lock_for_writing()
        changed = own.exclude(provider_state=TemplateState.ARCHIVED).update(**facts)
        if changed:
            _deactivate(BadgeTemplate.objects.filter(pk=row.pk), why=why)
            DefinitionsVersion.bump()
    return bool(changed)


def _deactivate(rows: QuerySet[BadgeTemplate], *, why: str) -> None:
    rows.filter(is_active=True).update(is_active=False, note=f"Deactivated by the service: {why}")


def _vanished(
    organization: CredlyOrganization, *, seen: set[UUID], before: datetime
) -> list[BadgeTemplate]:
    """Ours that Credly did not list, but for what was archived before or came meanwhile."""
    rows = BadgeTemplate.objects.filter(organization=organization, created__lt=before)
    ids = rows.exclude(provider_state=TemplateState.ARCHIVED).values_list("pk", "uuid")
    gone = [pk for pk, uuid in ids.iterator() if uuid not in seen]
    return [row for chunk in in_chunks(gone) for row in BadgeTemplate.objects.filter(pk__in=chunk)]


def _look_again(
    organization: CredlyOrganization, row: BadgeTemplate, *, client: CredlyClient
) -> str:
    """A list that changes while it is read can leave one out: what seems gone is asked for."""
    try:
        found = client.get_template(row.uuid)
    except NotFound:
        archive(row, why="It is no longer listed at Credly.")
        return "archived"
    return "changed" if take_over(organization, [found])["changed"] else "unchanged"


# Pictures


def without_picture(rows: QuerySet[BadgeTemplate]) -> Iterator[BadgeTemplate]:
    """Those whose picture is not, or no longer, the one at the image URL."""
    missing = rows.exclude(image_url="").exclude(image_url=F("image_source")).order_by("pk")
    return missing.only("uuid", "image", "image_url").iterator(chunk_size=_PAGE)


def fetch_picture(row: BadgeTemplate) -> bool:
    """Keep a copy in the storage. False when it was refused; the next synchronisation tries again.
    Must not be called in a transaction.
    """
    try:
        found = images.fetch(row.image_url, api_url=settings.CREDLY_API_BASE_URL)
    except images.ImageRefusedError as error:
        log.warning("picture refused", template=str(row.uuid), reason=str(error))
        return False
    name = row.image.storage.save(
        f"badges/{row.uuid}.{found.extension}", ContentFile(found.content)
    )
    with transaction.atomic():
        rows = BadgeTemplate.objects.select_for_update().filter(pk=row.pk)
        former = [each.image for each in rows]
        rows.update(image=name, image_source=row.image_url)
        row.image = name
        files.discard([*former, row.image])  # also the new one, if the template is gone meanwhile
    return True
