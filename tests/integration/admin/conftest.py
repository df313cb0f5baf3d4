"""A badge, its organization, learners on their way, and a Credly of this process."""

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from pytest_django import Settings

from badges.models import (
    BadgePenalty,
    BadgeProgress,
    BadgeRequirement,
    DataRule,
    Decision,
)
from certificates.delivery import files
from certificates.models import (
    Asset,
    Certificate,
    CertificateLayout,
    CertificateMail,
    CourseInstructor,
    ScheduleRun,
)
from consumer.models import ConsumerStatus, Incident
from credentials.models import (
    BadgeTemplate,
    CredlyOrganization,
    CredlyRun,
    CredlyWebhook,
    Difference,
    Issuance,
    Learner,
    OutboxEvent,
    UserCredential,
)
from credly_client.sandbox import Running, Sandbox, serve
from events.models import InboxEvent
from exam_attempts.models import ExamAttempt
from service_signals.models import HandlerFailure
from tests.functional.schedule_stories import CK, schedule
from tests.integration.admin.pages import PASSING
from verified_names.models import NameFact, VerifiedName, VerifiedNameConfig

KEY = "key-of-acme"
ACME = UUID("5f1b0cb7-0000-4000-8000-000000000001")
NOW = datetime(2026, 3, 1, tzinfo=UTC)
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


@pytest.fixture
def one_of_each(explorer: BadgeTemplate) -> None:
    """A row for every page of the admin."""
    ann = Learner.objects.create(lms_user_id=11, username="ann", profile_time=NOW)
    credential = UserCredential.objects.create(learner=ann, template=explorer, awarded_at=NOW)
    _of_certificates(credential)
    Issuance.objects.create(credential=credential, provider="credly", state="dead")
    OutboxEvent.objects.create(kind="awarded", credential=credential, occurred_at=NOW)
    BadgeProgress.objects.create(learner=ann, template=explorer)
    Decision.objects.create(
        learner=ann, template=explorer, event_time=NOW, outcome="awarded", made_at=NOW
    )
    InboxEvent.objects.create(event_id=uuid4(), state="accepted", payload={"a": 1}, received_at=NOW)
    HandlerFailure.objects.create(signal="a.b", handler="c.d", correlation_id="1", error="No")
    _at_credly()
    _of_schedules(explorer)
    _of_names(ann)
    ConsumerStatus.objects.create(group="laurel", name="c1", started_at=NOW, seen_at=NOW)
    Incident.objects.create(kind="trimmed", group="laurel", stream="s", noticed_at=NOW)


def _at_credly() -> None:
    acme = CredlyOrganization.objects.get()
    run = CredlyRun.objects.create(
        organization=acme, kind="compare", state="done", requested_at=NOW
    )
    Difference.objects.create(
        organization=run.organization,
        run=run,
        kind="other_state",
        issuance=Issuance.objects.first(),
    )
    CredlyWebhook.objects.create(event_id=uuid4(), organization_id=uuid4(), received_at=NOW)


def _of_schedules(template: BadgeTemplate) -> None:
    made = schedule(template)
    ScheduleRun.objects.create(schedule=made, state="done", requested_at=NOW)
    CourseInstructor.objects.create(
        user=User.objects.create_user("ines", is_staff=True), course_key=CK
    )


def _of_certificates(credential: UserCredential) -> None:
    issuance = Issuance.objects.create(credential=credential, provider="pdf", state="revoked")
    certificate = Certificate.objects.create(issuance=issuance, state="withdrawn")
    default_storage.save(files.archive_name(certificate.verify_uuid), ContentFile(b"%PDF"))
    CertificateMail.objects.create(certificate=certificate, state="dead")
    CertificateLayout.objects.create(template=credential.template)
    Asset.objects.create(slug="seal", kind="image", file="seal.png", sha256="0", size=1)


def _of_names(learner: Learner) -> None:
    said = {"learner": learner, "source": "idv", "attempt": "1", "status": "approved"}
    when = {"event_id": uuid4(), "event_time": NOW}
    VerifiedName.objects.create(verified_name="Ann Lee", **said, **when)
    NameFact.objects.create(name="Ann Lee", outcome="counted", received_at=NOW, **said, **when)
    VerifiedNameConfig.objects.create(learner=learner, use_verified_name=True, changed_at=NOW)
    exam = {"course_key": CK, "usage_key": "exam", "exam_type": "timed", "status": "verified"}
    ExamAttempt.objects.create(learner=learner, **exam, **when)
