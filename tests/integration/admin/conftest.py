"""A badge, its organization, learners on their way, and a Credly of this process."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest
from pytest_django import Settings

from badges.models import BadgePenalty, BadgeRequirement, DataRule
from credentials.models import BadgeTemplate, CredlyOrganization
from credly_client.sandbox import Running, Sandbox, serve
from tests.integration.admin.pages import PASSING

KEY = "key-of-acme"
ACME = UUID("5f1b0cb7-0000-4000-8000-000000000001")
GLOBEX = UUID("5f1b0cb7-0000-4000-8000-000000000002")


@pytest.fixture
def acme(db: None) -> CredlyOrganization:
    row = CredlyOrganization(uuid=ACME, name="Acme Academy")
    row.set_api_key(KEY)
    row.save()
    return row


@pytest.fixture
def explorer(acme: CredlyOrganization) -> BadgeTemplate:
    """Active: pass the introduction; failing it again takes it away."""
    template = BadgeTemplate.objects.create(
        name="Data Explorer", organization=acme, providers=["credly"], is_active=True
    )
    requirement = BadgeRequirement.objects.create(
        template=template, key="passed-intro", event_type=PASSING
    )
    DataRule.objects.create(requirement=requirement, path="is_passing", operator="eq", value="true")
    penalty = BadgePenalty.objects.create(template=template, key="failed-intro", event_type=PASSING)
    penalty.requirements.add(requirement)
    penalty.rules.create(path="is_passing", operator="eq", value="false")
    return template


@pytest.fixture
def credly(settings: Settings) -> Iterator[Running]:
    """Acme and Globex at Credly, each with a key of its own, Acme with one template."""
    with serve(Sandbox()) as running:
        for uuid, name, token in ((ACME, "Acme Academy", KEY), (GLOBEX, "Globex", "key-of-globex")):
            running.sandbox.control(
                "organizations", {"id": str(uuid), "name": name, "token": token}
            )
        running.sandbox.control(
            "templates",
            {"id": str(uuid4()), "organization_id": str(ACME), "name": "Data Explorer"},
        )
        settings.CREDLY_API_BASE_URL = running.api_url
        yield running
