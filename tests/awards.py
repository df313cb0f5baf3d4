"""Awards in numbers, for what looks at the issuing of them: made by the same steps as an event's,
without the events.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final
from uuid import NAMESPACE_URL, UUID, uuid5

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django import Settings

from credentials import issuances, lifecycle
from credentials.lifecycle import Transition
from credentials.models import BadgeTemplate, CredlyOrganization, Learner
from credly_client.sandbox import Running, Sandbox, serve
from tests.functional.stories import ACME

GLOBEX: Final = str(uuid5(NAMESPACE_URL, "organization/globex"))
AWARDED_AT: Final = datetime(2026, 3, 1, 10, tzinfo=UTC)


def environment(*organizations: str) -> dict[str, str]:
    """Where their keys are."""
    return {_variable(each): f"key-of-{each}" for each in organizations}


def _variable(organization: str) -> str:
    return f"KEY_{organization[:8]}"


def template_id(organization: str) -> UUID:
    return uuid5(NAMESPACE_URL, f"template/of/{organization}")


def introduce(sandbox: Sandbox, *organizations: str) -> None:
    """To the sandbox: each organization with one template."""
    for each in organizations:
        key = environment(each)[_variable(each)]
        sandbox.control("organizations", {"id": each, "name": each[:8], "token": key})
        sandbox.control(
            "templates", {"id": str(template_id(each)), "organization_id": each, "name": "Badge"}
        )


@contextmanager
def credly_of(
    *organizations: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Running]:
    """A local Credly that knows them, each with one template; their keys are in the environment."""
    for variable, key in environment(*organizations).items():
        monkeypatch.setenv(variable, key)
    with serve(Sandbox(None)) as running:
        settings.CREDLY_API_BASE_URL = running.api_url
        introduce(running.sandbox, *organizations)
        yield running


def offer(organization: str = ACME, *, reissue: str = "allowed") -> BadgeTemplate:
    """A template here as the sandbox has it; the key is in the environment."""
    owner, _ = CredlyOrganization.objects.get_or_create(
        uuid=organization,
        defaults={"name": organization[:8], "api_key_env": _variable(organization)},
    )
    return BadgeTemplate.objects.create(
        uuid=template_id(organization),
        name="Badge",
        organization=owner,
        providers=["credly"],
        is_active=True,
        reissue=reissue,
    )


def offer_certificate() -> BadgeTemplate:
    """A template of nobody at Credly, issued as a PDF."""
    return BadgeTemplate.objects.create(name="Badge", providers=["pdf"], is_active=True)


def enroll(count: int, *, first: int = 1) -> list[Learner]:
    Learner.objects.bulk_create(
        Learner(
            lms_user_id=number,
            username=f"learner{number}",
            email=f"learner{number}@example.com",
            name=f"Learner Nr{number}",
            profile_time=AWARDED_AT,
        )
        for number in range(first, first + count)
    )
    known = Learner.objects.filter(lms_user_id__gte=first, lms_user_id__lt=first + count)
    return list(known.order_by("lms_user_id"))


def decide(template: BadgeTemplate, learners: Sequence[Learner], *, complete: bool = True) -> None:
    """Each is awarded the badge, or loses it; due at once."""
    transitions = [
        Transition(
            learner_id=each.pk,
            template_id=template.pk,
            complete=complete,
            reissue_allowed=template.reissue == "allowed",
            at=AWARDED_AT,
            event_id=uuid5(NAMESPACE_URL, f"{each.pk}/{template.pk}/{complete}"),
        )
        for each in learners
    ]
    with transaction.atomic():
        issuances.want(lifecycle.apply(transitions).changes, now=timezone.now())
