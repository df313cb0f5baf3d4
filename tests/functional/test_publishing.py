"""Public events of awards and revocations: what waits, what is set aside, who publishes."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, ClassVar

import attrs
import pytest
import redis as redis_client
from django.db.models import QuerySet
from django.test import Client
from django.utils import timezone
from edx_event_bus_redis.internal.config import load_common_settings
from openedx_events.event_bus import get_producer
from walrus import Database

from credentials import outbox
from credentials.models import BadgeTemplate, Lease, OutboxEvent
from events.bus import RaisingRedisProducer
from events.jsonl import parse_line
from tests.functional.conftest import Service
from tests.functional.stories import EXPLORER, document, explorer, passes
from tests.servers import RedisServer

OTHER = "11111111-1111-5111-8111-111111111111"


@pytest.fixture(autouse=True)
def _producer(settings: Any) -> Iterator[None]:
    settings.EVENT_BUS_PRODUCER = f"{__name__}.create_producer"
    get_producer.cache_clear()
    yield
    Interrupted.before_send = None
    get_producer.cache_clear()


class Interrupted(RaisingRedisProducer):
    """`before_send` runs once, before the next event goes out."""

    before_send: ClassVar[Callable[[], None] | None] = None

    def send(self, **event: Any) -> None:
        before, Interrupted.before_send = Interrupted.before_send, None
        if before is not None:
            before()
        super().send(**event)


def create_producer() -> Interrupted:
    return Interrupted(Database.from_url(load_common_settings()["url"]))


@pytest.fixture
def heard(service: Service, redis: RedisServer) -> Iterator[Callable[[], list[str]]]:
    """Ids of the public events on the bus, in order."""
    with redis_client.Redis.from_url(redis.url) as client:

        def ids_on_the_bus() -> list[str]:
            entries: Any = client.xrange(service.topic)
            verbs = (b"badge.awarded", b"badge.revoked")
            return [
                fields[b"id"].decode()
                for _, fields in entries
                if any(verb in fields[b"type"] for verb in verbs)
            ]

        yield ids_on_the_bus


def waiting() -> list[str]:
    return ids(OutboxEvent.objects.filter(published_at__isnull=True))


def all_ids() -> list[str]:
    return ids(OutboxEvent.objects.all())


def ids(rows: QuerySet[OutboxEvent]) -> list[str]:
    return [str(each.event_id) for each in rows.order_by("id")]


def win(service: Service, *people: str) -> None:
    service.publish([passes(who, n, minute=n) for who in people for n in (1, 2)])
    service.consume()


def lose(service: Service, *people: str) -> None:
    service.publish([passes(who, 1, minute=5, passing=False) for who in people])
    service.consume()


class TestAnEventThatCannotBeBuilt:
    @pytest.fixture(autouse=True)
    def _two_templates(self, service: Service) -> None:
        second = explorer(uuid=OTHER, name="Other")["templates"]
        service.load(document(*explorer()["templates"], *second))
        win(service, "ann", "bob")
        lose(service, "ann", "bob")
        # As a bad import of somebody else's would leave it.
        BadgeTemplate.objects.filter(uuid=OTHER).update(providers=[7])

    def test_it_is_set_aside_and_the_others_go_on(
        self, heard: Callable[[], list[str]], admin_client: Client
    ) -> None:
        broken = OutboxEvent.objects.filter(credential__template__uuid=OTHER)
        sound = OutboxEvent.objects.filter(credential__template__uuid=EXPLORER)
        assert outbox.publish_due(clock=timezone.now) == 4
        assert heard() == ids(sound)

        aside = broken.filter(set_aside_until__isnull=False).order_by("id")
        first = aside[0]
        assert {each.kind for each in aside} == {"awarded"}  # the later ones wait for them
        assert aside.count() == 2
        page = admin_client.get("/admin/credentials/outboxevent/").content.decode()
        assert "Set aside: cannot be built" in page
        url = f"/admin/credentials/outboxevent/{first.pk}/"
        page = admin_client.get(f"{url}change/").content.decode()
        assert "the others go on without it: TypeError" in page

        assert outbox.publish_due(clock=timezone.now) == 0  # not asked again at each sweep
        BadgeTemplate.objects.filter(uuid=OTHER).update(providers=["credly"])
        admin_client.post(f"{url}do/try_again/")
        assert outbox.publish_due(clock=timezone.now) == 2  # one learner's two
        assert heard()[4:] == ids(broken.filter(credential=first.credential))

    def test_it_is_tried_again_by_itself(self, heard: Callable[[], list[str]]) -> None:
        assert outbox.publish_due(clock=timezone.now) == 4
        assert outbox.publish_due(clock=lambda: timezone.now() + timedelta(hours=2)) == 0
        BadgeTemplate.objects.filter(uuid=OTHER).update(providers=["credly"])
        assert outbox.publish_due(clock=lambda: timezone.now() + timedelta(hours=4)) == 4
        assert sorted(heard()) == sorted(all_ids())
        assert not OutboxEvent.objects.filter(set_aside_until__isnull=False).exists()


def test_who_has_no_lms_id_waits_and_goes_out_in_order(
    service: Service, heard: Callable[[], list[str]]
) -> None:
    service.load(explorer())
    for event in (passes("ann", 1, minute=1), passes("ann", 2, minute=2),
                  passes("ann", 1, minute=5, passing=False)):  # fmt: skip
        by_username_only(event)
    win(service, "bob")
    anns, bobs = all_ids()[:2], all_ids()[2:]

    assert outbox.publish_due(clock=timezone.now) == 1
    assert heard() == bobs
    assert waiting() == anns

    service.publish([passes("ann", 3, minute=9)])  # tells the id
    service.consume()
    assert outbox.publish_due(clock=timezone.now) == 2
    assert heard() == bobs + anns


def by_username_only(event: dict[str, Any]) -> None:
    """As a signal of this process can; no event of the bus can be without the id."""
    parsed = parse_line(json.dumps(event), number=1)
    status = parsed.data["course_passing_status"]
    nobody = attrs.evolve(status, user=attrs.evolve(status.user, id=None))
    parsed.signal.send_event_with_custom_metadata(parsed.metadata, course_passing_status=nobody)


def test_a_publisher_that_lost_its_lease_leaves_the_rest_to_the_other(
    service: Service, heard: Callable[[], list[str]]
) -> None:
    service.load(explorer())
    win(service, "ann", "bob", "cid")
    now = timezone.now()

    def clock() -> datetime:
        return now

    def another_takes_over() -> None:
        nonlocal now
        now += timedelta(minutes=3)  # this one was as slow as that
        assert outbox.publish_due(clock=clock) == 3

    Interrupted.before_send = another_takes_over
    assert outbox.publish_due(clock=clock) == 1
    assert heard() == [*all_ids(), all_ids()[0]]
    assert Lease.take("publish", now=now, length=timedelta(minutes=2))  # nobody holds it


def test_a_publisher_that_lost_its_lease_does_not_end_that_of_the_other(
    service: Service, heard: Callable[[], list[str]]
) -> None:
    service.load(explorer())
    win(service, "ann", "bob", "cid")
    now = timezone.now()

    def another_begins() -> None:
        nonlocal now
        now += timedelta(minutes=3)
        assert Lease.take("publish", now=now, length=timedelta(minutes=2))

    Interrupted.before_send = another_begins
    assert outbox.publish_due(clock=lambda: now) == 1
    assert outbox.publish_due(clock=lambda: now) == 0
    assert heard() == all_ids()[:1]


def test_a_slow_publisher_keeps_its_lease(service: Service, heard: Callable[[], list[str]]) -> None:
    service.load(explorer())
    win(service, "ann", "bob", "cid")
    now = timezone.now()

    def clock() -> datetime:
        """Each look at the clock takes half a minute."""
        nonlocal now
        now += timedelta(seconds=30)
        return now

    def another_comes() -> None:
        assert outbox.publish_due(clock=lambda: now) == 0

    Interrupted.before_send = another_comes
    assert outbox.publish_due(clock=clock) == 3
    assert heard() == all_ids()


def test_without_a_producer_nothing_counts_as_published(service: Service, settings: Any) -> None:
    service.load(explorer())
    win(service, "ann")
    settings.EVENT_BUS_PRODUCER = "nobody.knows.it"
    get_producer.cache_clear()
    with pytest.warns(UserWarning, match="component will be inactive"):
        assert outbox.publish_due(clock=timezone.now) == 0
    row = OutboxEvent.objects.get()
    assert "EVENT_BUS_PRODUCER" in row.last_error
    assert row.published_at is None
