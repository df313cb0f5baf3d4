"""The bulk statements leave what Django's own writing would, on the database of this run."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import DateTimeField
from django.test.utils import CaptureQueriesContext

from credentials import bulk
from credentials.models import BadgeTemplate, Learner, UserCredential
from events.models import InboxEvent

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)
NAMES = ("uuid", "lms_user_id", "username", "email", "name", "is_active", "profile_time", "created")
INBOX = (
    "event_id",
    "origin",
    "event_type",
    "event_time",
    "source",
    "sourcehost",
    "state",
    "reason",
    "payload",
    "duplicates",
    "received_at",
    "claim",
    "attempts",
)


def person(number: int, **changes: Any) -> tuple[Any, ...]:
    values = {
        "uuid": UUID(int=number),
        "lms_user_id": number,
        "username": f"u{number}",
        "email": "",
        "name": "",
        "is_active": True,
        "profile_time": NOON,
        "created": NOON,
    }
    return tuple((values | changes).values())


def test_what_was_inserted_reads_as_django_writes_it() -> None:
    moment = datetime(2026, 3, 1, 14, 30, 15, tzinfo=timezone(timedelta(hours=2)))
    odd = "it's 100% \\N \\. \t \n \x01 {} é 李雷 😀"
    bulk.insert(Learner, NAMES, [person(1, name=odd, is_active=False, profile_time=moment)])
    ours = Learner.objects.get()
    Learner.objects.create(
        lms_user_id=2, username="u2", name=odd, is_active=False, profile_time=moment
    )
    theirs = Learner.objects.get(lms_user_id=2)
    assert ours.name == theirs.name == odd
    assert ours.profile_time == theirs.profile_time == moment
    assert ours.is_active is theirs.is_active is False
    assert ours.uuid == UUID(int=1)
    for column in ("profile_time", "is_active", "uuid"):
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {column} FROM credentials_learner ORDER BY id")  # noqa: S608
            (first,), (second,) = cursor.fetchall()
        assert type(first) is type(second)
        assert len(str(first)) == len(str(second))  # the same form in the database


def test_moments_are_written_as_django_writes_them() -> None:
    east = timezone(timedelta(hours=5, minutes=30))
    moments = [
        NOON,
        NOON.replace(microsecond=7),
        datetime(2026, 3, 1, 0, 15, 0, 120_000, tzinfo=east),
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    ]
    bulk.insert(Learner, NAMES, [person(n, profile_time=m) for n, m in enumerate(moments, 1)])
    for number, moment in enumerate(moments, 11):
        Learner.objects.create(lms_user_id=number, username=f"u{number}", profile_time=moment)
    with connection.cursor() as cursor:
        cursor.execute("SELECT profile_time FROM credentials_learner ORDER BY lms_user_id")
        written = [each for (each,) in cursor.fetchall()]
    assert written[:5] == written[5:]
    stored = Learner.objects.order_by("lms_user_id").values_list("profile_time", flat=True)
    assert list(stored) == moments * 2


@pytest.mark.parametrize(
    "payload", [None, {}, {"a": [1, 2.5, None, "é'\"\\ \n"]}, [], "text", 0, False]
)
def test_json_and_nothing(payload: Any) -> None:
    row = (uuid4(), "o", "t", None, "", "", "accepted", "", payload, 0, NOON, uuid4(), 0)
    bulk.insert(InboxEvent, INBOX, [row])
    stored = InboxEvent.objects.get()
    assert stored.payload == payload
    assert InboxEvent.objects.filter(payload__isnull=payload is None).exists()
    assert stored.event_time is None


def test_a_row_that_is_there_refuses_the_whole_insert() -> None:
    bulk.insert(Learner, NAMES, [person(1)])
    with pytest.raises(IntegrityError), transaction.atomic():
        bulk.insert(Learner, NAMES, [person(2), person(1, uuid=uuid4())])
    assert list(Learner.objects.values_list("lms_user_id", flat=True)) == [1]


def test_missing_rows_are_inserted_and_the_others_left_as_they_are() -> None:
    bulk.insert(Learner, NAMES, [person(1, name="before")])
    bulk.insert_missing(
        Learner, NAMES, [person(1, uuid=uuid4(), name="after"), person(2, name="new")]
    )
    assert dict(Learner.objects.values_list("lms_user_id", "name")) == {1: "before", 2: "new"}


def test_a_row_that_breaks_a_check_is_no_missing_row() -> None:
    row = (None, "o", "t", None, "", "", "failed", "", None, 0, NOON, uuid4(), 0)
    with pytest.raises(IntegrityError), transaction.atomic():
        bulk.insert_missing(InboxEvent, INBOX, [row])


def test_a_value_that_is_too_long_is_not_cut_in_silence() -> None:
    if connection.vendor == "sqlite":
        bulk.insert_missing(Learner, NAMES, [person(1, name="x" * 300)])  # it knows no lengths
        assert len(Learner.objects.get().name) == 300
        return
    with pytest.raises(Exception, match=r"(?i)too long"), transaction.atomic():
        bulk.insert_missing(Learner, NAMES, [person(1, name="x" * 300)])


def test_update_writes_the_named_columns_of_the_named_rows() -> None:
    bulk.insert(Learner, NAMES, [person(n) for n in (1, 2, 3)])
    keys = dict(Learner.objects.values_list("lms_user_id", "pk"))
    later = NOON + timedelta(days=1)
    rows = [(keys[1], "Ann", None, later), (keys[3], "Cid", 33, NOON), (10**9, "nobody", 4, NOON)]
    bulk.update(Learner, ("name", "lms_user_id", "profile_time"), rows[1:])
    bulk.update(Learner, ("name", "profile_time"), [(keys[1], "Ann", later)])
    found = Learner.objects.order_by("pk").values_list("lms_user_id", "name", "profile_time")
    assert list(found) == [(1, "Ann", later), (2, "", NOON), (33, "Cid", NOON)]


def test_select_finds_pairs_and_not_their_product() -> None:
    bulk.insert(
        Learner, NAMES, [person(n, name=name) for n, name in ((1, "a"), (2, "b"), (3, "a"))]
    )
    found = bulk.select(
        Learner,
        ("lms_user_id", "is_active", "uuid", "profile_time"),
        where=("lms_user_id", "name"),
        among=[(3, "a"), (1, "b"), (1, "a"), (1, "a")],
        lock=True,
    )
    assert found == [(1, True, UUID(int=1), NOON), (3, True, UUID(int=3), NOON)]
    assert bulk.select(Learner, ("id",), where=("id",), among=[]) == []


def test_select_finds_more_than_a_statement_takes_parameters() -> None:
    bulk.insert(Learner, NAMES, [person(n) for n in range(1, 8)])
    among = [(n, f"u{n}") for n in range(40_000)]
    found = bulk.select(Learner, ("lms_user_id",), where=("lms_user_id", "username"), among=among)
    assert [number for (number,) in found] == [1, 2, 3, 4, 5, 6, 7]


def test_objects_take_the_time_and_learn_their_keys_when_asked() -> None:
    people = [Learner(lms_user_id=n, username=f"u{n}", profile_time=NOON) for n in (1, 2)]
    bulk.insert_objects(people[:1])
    bulk.insert_objects(people[1:], identity=("uuid",))
    stored = bulk.select_objects(Learner, where=("username",), among=[("u1",), ("u2",)])
    assert [each.created for each in stored] == [each.created for each in people]
    assert [each.pk for each in people] == [None, stored[1].pk]
    stored[0].name = "Ann"
    bulk.update_objects(stored, ["name"])
    assert set(Learner.objects.values_list("username", "name")) == {("u1", "Ann"), ("u2", "")}


def test_what_another_row_replaces_is_left_out() -> None:
    ann = Learner.objects.create(lms_user_id=1, username="ann", profile_time=NOON)
    templates = [BadgeTemplate.objects.create(name=name) for name in ("again", "once")]
    former = None
    for _ in range(3):
        former = UserCredential.objects.create(
            learner=ann,
            template=templates[0],
            awarded_at=NOON,
            replaces=former,
            status="revoked",
            live=None,
            revoked_at=NOON,
        )
    only = UserCredential.objects.create(learner=ann, template=templates[1], awarded_at=NOON)
    found = bulk.select_objects(
        UserCredential,
        where=("learner_id", "template_id"),
        among=[(ann.pk, each.pk) for each in templates],
        replaced_by="replaces_id",
        lock=True,
    )
    assert found == [former, only]


@pytest.mark.parametrize("number", [99, 100, 101, 250])
def test_every_row_of_many_is_written(number: int) -> None:
    bulk.insert(Learner, NAMES, [person(n) for n in range(1, number + 1)])
    bulk.insert_missing(Learner, NAMES, [person(n, uuid=uuid4()) for n in range(1, number + 3)])
    keys = dict(Learner.objects.values_list("lms_user_id", "pk"))
    bulk.update(Learner, ("name",), [(keys[n], f"name {n}") for n in range(1, number + 1)])
    named = {n: f"name {n}" for n in range(1, number + 1)} | {number + 1: "", number + 2: ""}
    assert dict(Learner.objects.values_list("lms_user_id", "name")) == named


def test_many_rows_cost_one_statement() -> None:
    with CaptureQueriesContext(connection) as queries:
        bulk.insert_missing(Learner, NAMES, [person(n) for n in range(1, 501)])
        bulk.update(Learner, ("name",), [(n, "x") for n in range(1, 501)])
        bulk.select(Learner, ("id",), where=("lms_user_id",), among=[(n,) for n in range(1, 501)])
    assert len(queries) == 3


def test_fields_that_take_the_time_of_writing_are_found() -> None:
    assert [each.attname for each in bulk._clocks(Learner)] == ["created"]
    assert all(isinstance(each, DateTimeField) for each in bulk._clocks(Learner))
