from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError

from credentials import learners
from credentials.learners import LearnerFacts
from credentials.models import Learner

pytestmark = pytest.mark.django_db
START = datetime(2026, 3, 1, tzinfo=UTC)


def facts(
    lms_user_id: int | None, username: str, *, minute: int = 0, email: str = "", name: str = ""
) -> LearnerFacts:
    return LearnerFacts(
        lms_user_id=lms_user_id,
        username=username,
        email=email,
        name=name,
        is_active=True,
        as_of=START + timedelta(minutes=minute),
    )


def upsert(people: list[LearnerFacts]) -> list[int]:
    return learners.upsert(people, now=START)


def test_created_once_and_found_again() -> None:
    first, again = upsert([facts(11, "ann"), facts(11, "ann", minute=1)])
    assert first == again
    assert upsert([facts(11, "ann", minute=2)]) == [first]
    assert Learner.objects.count() == 1


def test_the_newest_event_describes_the_person_whatever_the_order() -> None:
    upsert([facts(11, "ann", minute=5, email="new@example.com")])
    upsert([facts(11, "ann", minute=7, email="new@example.com")])
    upsert([facts(11, "ann", minute=6, email="old@example.com", name="Ann Lee")])
    ann = Learner.objects.get()
    assert (ann.email, ann.name) == ("new@example.com", "Ann Lee")


def test_blanks_never_overwrite() -> None:
    upsert([facts(11, "ann", email="ann@example.com"), facts(11, "", minute=1)])
    ann = Learner.objects.get()
    assert (ann.username, ann.email) == ("ann", "ann@example.com")


def test_a_username_under_another_id_is_another_person() -> None:
    one, two = upsert([facts(11, "ann"), facts(12, "ann")])
    assert one != two


def test_equal_addresses_do_not_merge_people() -> None:
    upsert([facts(11, "ann", email="x@example.com"), facts(12, "bob", email="x@example.com")])
    assert Learner.objects.count() == 2


def test_without_an_id_the_username_finds() -> None:
    (ann,) = upsert([facts(11, "ann")])
    assert upsert([facts(None, "ann", minute=1)]) == [ann]


@pytest.mark.parametrize("batches", [1, 2])
def test_a_person_known_by_username_takes_the_first_id(batches: int) -> None:
    events = [facts(None, "ann"), facts(11, "ann", minute=1), facts(None, "ann", minute=2)]
    if batches == 1:
        keys = upsert(events)
    else:
        keys = [key for each in events for key in upsert([each])]
    assert len(set(keys)) == 1
    ann = Learner.objects.get()
    assert (ann.lms_user_id, ann.sole_username) == (11, None)


@pytest.mark.parametrize("split", [0, 1, 2, 3, 4])
def test_a_batch_leaves_what_single_events_leave(split: int) -> None:
    events = [
        facts(None, "ann"),
        facts(11, "ann", minute=1),
        facts(11, "anna", minute=2),
        facts(None, "ann", minute=3),
        facts(12, "ann", minute=4),
    ]
    upsert(events[:split])
    upsert(events[split:])
    batched = sorted((each.lms_user_id or 0, each.username) for each in Learner.objects.all())
    Learner.objects.all().delete()
    for each in events:
        upsert([each])
    alone = sorted((each.lms_user_id or 0, each.username) for each in Learner.objects.all())
    assert batched == alone


@pytest.mark.parametrize(
    ("lms_user_id", "username", "sole_username"),
    [(None, "ann", None), (None, "ann", "bob"), (11, "ann", "ann")],
)
def test_a_row_without_one_identity_is_refused(
    lms_user_id: int | None, username: str, sole_username: str | None
) -> None:
    row = Learner(
        lms_user_id=lms_user_id, username=username, sole_username=sole_username, profile_time=START
    )
    with pytest.raises(IntegrityError, match="learner_has_an_identity"):
        row.save()
