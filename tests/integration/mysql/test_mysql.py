"""What MySQL and MariaDB would do in silence, unless they are told not to."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command
from django.db import DataError, IntegrityError, connection

from badges.models import BadgeProgress
from consumer import batch
from credentials.models import Learner
from events import inbox, replay
from events.models import InboxEvent
from tests.integration.claims import NOW, ann_passes


@pytest.fixture
def another_collation(transactional_db: None) -> Iterator[None]:
    """The test's database as most servers would make it by themselves."""
    name = connection.ops.quote_name(connection.settings_dict["NAME"])
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER DATABASE {name} COLLATE utf8mb4_general_ci")
        yield
        cursor.execute(f"ALTER DATABASE {name} COLLATE utf8mb4_nopad_bin")


@pytest.mark.usefixtures("another_collation")
def test_a_database_that_does_not_compare_exactly_is_refused_with_what_to_do() -> None:
    with pytest.raises(CommandError, match=r"(?s)utf8mb4_general_ci.*CREATE DATABASE laurel"):
        call_command("migrate", skip_checks=False, verbosity=0)


@pytest.mark.django_db
def test_the_database_of_the_tests_has_no_fault() -> None:
    call_command("check", databases=["default"], fail_level="WARNING")


@pytest.mark.django_db
def test_a_row_that_is_skipped_when_it_exists_still_has_to_fit() -> None:
    fits = Learner(lms_user_id=11, username="ann", profile_time=NOW)
    for _ in range(2):
        Learner.objects.bulk_create([fits], ignore_conflicts=True)
    assert Learner.objects.count() == 1
    too_long = Learner(lms_user_id=12, username="a" * 256, profile_time=NOW)
    with pytest.raises(DataError):
        Learner.objects.bulk_create([too_long], ignore_conflicts=True)


@pytest.mark.django_db(transaction=True)
def test_a_row_that_is_skipped_when_it_exists_still_needs_its_parent() -> None:
    with pytest.raises(IntegrityError):
        BadgeProgress.objects.bulk_create(
            [BadgeProgress(learner_id=1, template_id=1)], ignore_conflicts=True
        )


@pytest.mark.django_db(transaction=True)
def test_a_batch_larger_than_a_statement_may_be_is_cut() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT @@max_allowed_packet")
        (limit,) = cursor.fetchone()
    size = 900_000
    messages = [ann_passes(minute=n, title="x" * size) for n in range(limit // size + 2)]
    report = batch.process(batch.decode_all(messages), clock=lambda: datetime.now(UTC))
    assert report.of("accepted") == len(messages)
    assert InboxEvent.objects.count() == len(messages)


@pytest.fixture
def small_statements(transactional_db: None) -> Iterator[None]:
    """The server takes no statement above 2 MB, and ends the connection that sends one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT @@max_allowed_packet")
        (limit,) = cursor.fetchone()
        cursor.execute("SET GLOBAL max_allowed_packet = %s", [2 * 1024 * 1024])
    connection.close()  # a connection keeps the limit that it began with
    yield
    connection.close()
    with connection.cursor() as cursor:
        cursor.execute("SET GLOBAL max_allowed_packet = %s", [limit])
    connection.close()


@pytest.mark.usefixtures("small_statements")
def test_an_event_that_is_too_large_for_a_statement_fails_alone() -> None:
    """Quotes take four bytes each in the statement: the message itself is below 1 MB."""
    messages = [ann_passes(1), ann_passes(2, title='"' * 900_000), ann_passes(3)]
    report = batch.process(batch.decode_all(messages), clock=lambda: datetime.now(UTC))
    assert (report.of("accepted"), report.of("failed")) == (2, 1)
    row = InboxEvent.objects.get(state=InboxEvent.State.FAILED)
    assert row.event_id == messages[1].event_id
    assert not replay.retry(row.pk, now=NOW)
    row.refresh_from_db()
    assert row.attempts == 2
    assert row.reason != inbox.ENDED


@pytest.mark.django_db
def test_moments_keep_their_microseconds() -> None:
    moment = datetime(2026, 3, 1, 23, 59, 59, 999_999, tzinfo=UTC)
    row = Learner.objects.create(lms_user_id=1, username="ann", profile_time=moment)
    assert Learner.objects.get(profile_time=moment) == row
    assert Learner.objects.get(uuid=row.uuid).profile_time == moment
