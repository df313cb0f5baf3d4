"""An exam on the bus leads to a badge at Credly, a certificate with its page, and a mail."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import timedelta
from io import BytesIO
from typing import Any

import attrs
import pytest
import redis as redis_client
from django.test import Client
from django.utils import timezone
from pypdf import PdfReader

from certificates import schedules, tasks
from certificates.models import CredentialType, EligibilitySchedule, ScheduleRun
from certificates.platform.sandbox import Running as Platform
from credentials import worker
from credentials.models import BadgeTemplate
from credly_client.sandbox import Running
from events import pipeline
from events.eligibility import EVENT_TYPE
from tests.functional.certificates.conftest import (
    MailServer,
    certificate,
    public_file,
    stored,
)
from tests.functional.conftest import Service
from tests.functional.exam_stories import (
    ANN,
    CK,
    PROCTORED,
    exam,
    proctored,
    requirement,
    rule,
)
from tests.functional.platform.academy import course, world
from tests.functional.platform.conftest import platform
from tests.functional.schedule_stories import counts
from tests.functional.stories import ACME
from tests.servers import RedisServer
from verified_names.models import VerifiedName

__all__ = ["platform"]
BADGE = "org.openedx.learning.badge."
ANNIE = {**ANN, "name": "Annie"}
MIDTERM = "block-v1:edX+P1+2024+type@sequential+block@midterm"


@attrs.frozen
class Everything:
    """Laurel, and all that it speaks to."""

    service: Service
    credly: Running
    mails: MailServer
    redis: RedisServer
    web: Client

    def tell(self, *events: Mapping[str, Any]) -> None:
        self.service.publish([dict(each) for each in events])
        assert self.service.consume() == 0

    def work(self, *, hours: float = 0) -> None:
        """What is due then, and the events and mails that come of it."""
        worker.carry_out_due(clock=lambda: timezone.now() + timedelta(hours=hours))
        self.service.issue()
        assert self.service.consume() == 0

    def badge(self) -> dict[str, Any]:
        badge = self.service.badge("ann", PROCTORED)
        assert badge is not None
        return badge

    def issued(self) -> dict[str, str]:
        """The state at each provider."""
        return {each["provider"]: each["state"] for each in self.badge()["credential"]["issuances"]}

    def at_credly(self) -> list[tuple[str, str]]:
        """Whom for, and in which state: every badge that there ever was."""
        badges = self.credly.sandbox.control("state", {}, method="GET")["badges"]
        return [
            (f"{each['issued_to_first_name']} {each['issued_to_last_name']}", each["state"])
            for each in badges
        ]

    def calls(self) -> Counter[str]:
        """To Credly, that may change something there."""
        calls = self.credly.sandbox.control("state", {}, method="GET")["calls"]
        return Counter({name: n for name, n in calls.items() if not name.startswith("GET")})

    def announced(self) -> list[str]:
        """What Laurel itself said on the bus."""
        with redis_client.Redis.from_url(self.redis.url) as client:
            entries: Any = client.xrange(self.service.topic)
        types = [fields[b"type"].decode() for _, fields in entries]
        return [each.removeprefix(BADGE) for each in types if each.startswith(BADGE)]

    def vouched(self) -> dict[str, Any]:
        """What anybody reads of the one certificate."""
        told: dict[str, Any] = self.web.get(f"/verify/{certificate().verify_uuid}.json").json()
        return told

    def printed(self) -> str:
        data = public_file(self.web)
        assert data is not None
        return PdfReader(BytesIO(data)).pages[0].extract_text()


@pytest.fixture(autouse=True)
def _other_handlers() -> Iterator[None]:
    pipeline.handlers.cache_clear()
    yield
    pipeline.handlers.cache_clear()


@pytest.fixture
def everything(
    service: Service, credly: Running, mail_server: MailServer, redis: RedisServer, client: Client
) -> Everything:
    credly.sandbox.control(
        "templates", {"id": PROCTORED, "organization_id": ACME, "name": "Proctored final"}
    )
    return Everything(service, credly, mail_server, redis, client)


def both(**changes: Any) -> dict[str, Any]:
    """The proctored final, at Credly and as a certificate, in a verified name only."""
    return proctored(
        **{"providers": ["credly", "pdf"], "name_policy": "verified_required", **changes}
    )


def sits_the_exam(everything: Everything) -> None:
    """Ann L, as the proctor saw; meanwhile she calls herself Annie."""
    everything.tell(exam("submitted", 1), exam("verified", 2))
    everything.tell(exam("submitted", 3, ANNIE, kind="timed", usage_key=MIDTERM))


def test_x_1_an_exam_is_verified(everything: Everything) -> None:
    everything.service.load(both())

    sits_the_exam(everything)
    everything.work()

    assert everything.badge()["credential"]["status"] == "awarded"
    assert everything.issued() == {"credly": "pending", "pdf": "available"}
    assert everything.at_credly() == [("Ann L", "pending")]
    assert "Ann L\n" in everything.printed()
    assert everything.vouched()["name"] == "Ann L"
    assert everything.announced() == ["awarded.v1"]
    key = certificate().verify_uuid
    assert f"/certificates/{key}.pdf\n" in everything.mails.box.body()
    assert f"/verify/{key}/\n" in everything.mails.box.body()


def test_x_4_the_exam_is_rejected_and_a_schedule_brings_nothing_back(
    everything: Everything, platform: Platform
) -> None:
    """Either the exam or the completed course would do."""
    completed = {
        "id": "completed",
        "event_type": EVENT_TYPE,
        "group": "way",
        "rules": [rule("context_key", CK), rule("is_eligible", "true")],
    }
    everything.service.load(both(requirements=[requirement(group="way"), completed]))
    sits_the_exam(everything)
    everything.work()

    everything.tell(exam("rejected", 4, ANNIE))
    everything.work()

    assert VerifiedName.objects.get().status == "denied"
    badge = everything.badge()
    assert [each["fulfilled"] for each in badge["requirements"]] == [False, False]
    assert badge["credential"]["status"] == "revoked"
    gone = {"credly": "revoked", "pdf": "revoked"}
    assert everything.issued() == gone
    assert everything.at_credly() == [("Ann L", "revoked")]
    assert public_file(everything.web) is None
    assert stored("certificates/public") == []
    assert everything.vouched()["status"] == "revoked"
    assert everything.announced() == ["awarded.v1", "revoked.v1"]

    platform.sandbox.load(world(course(ann={"completion": 0.95})))
    assert counts(ask_the_platform()) == (1, 1, 0, 0)
    everything.work()

    badge = everything.badge()
    assert badge["complete"]
    assert badge["credential"]["blocked_by_revocation"]
    assert everything.issued() == gone
    assert everything.at_credly() == [("Ann L", "revoked")]
    assert everything.announced() == ["awarded.v1", "revoked.v1"]
    assert len(everything.mails.box.mails) == 1


def ask_the_platform() -> ScheduleRun:
    """Who completed the course?"""
    kind = CredentialType.objects.create(name="Completed", retriever="completions")
    template = BadgeTemplate.objects.get(uuid=PROCTORED)
    made = EligibilitySchedule(type=kind, template=template, context_key=CK)
    tasks.run_schedule.apply(args=(schedules.create(made).pk,))
    return ScheduleRun.objects.get()


@pytest.mark.parametrize("fault", ["down", "down_after"])
def test_x_6_credly_is_down_meanwhile(everything: Everything, fault: str) -> None:
    everything.service.load(both())
    everything.credly.sandbox.control("switches", {fault: {"calls": "POST"}}, method="POST")
    sits_the_exam(everything)
    everything.work()

    assert everything.badge()["credential"]["status"] == "awarded"
    assert everything.issued() == {"credly": "error", "pdf": "available"}
    assert "Ann L\n" in everything.printed()
    assert everything.announced() == ["awarded.v1"]

    everything.credly.sandbox.control("switches", {fault: False}, method="POST")
    everything.work(hours=1)

    assert everything.issued() == {"credly": "pending", "pdf": "available"}
    assert everything.at_credly() == [("Ann L", "pending")]
    assert everything.announced() == ["awarded.v1"]
    assert len(everything.mails.box.mails) == 1
