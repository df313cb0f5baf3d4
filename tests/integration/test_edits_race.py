"""Rules are edited while a batch is under way. Not collected on SQLite, like test_claims_race.py:
there one waits for the other anyway.
"""

import threading
from collections.abc import Callable
from functools import partial

import pytest
from django.db import connections, transaction

from badges import by_hand, editing
from badges.by_hand import NothingToDoError
from badges.models import BadgeProgress, BadgeRequirement
from credentials.models import BadgeTemplate, DefinitionsVersion, Issuance, Learner, UserCredential
from credentials.retirement import retire
from events import replay
from events.models import InboxEvent
from events.pipeline import process_batch
from events.wire import decode
from tests.functional.stories import PASSING
from tests.integration.claims import NOW, ann_passes, fail, number_passes
from tests.integration.test_claims_race import wait_until_blocked
from verified_names import by_hand as names
from verified_names.folding import Status

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=[1, 2])
def enough(request: pytest.FixtureRequest) -> int:
    """How often the learner has passed in the end, and has to under the rules after the edit. Of
    two times, one is before everything else: there is a row of progress then.
    """
    template = BadgeTemplate.objects.create(name="Passed", providers=["credly"], is_active=True)
    BadgeRequirement.objects.create(template=template, key="passed", event_type=PASSING, count=9)
    with editing.edit():
        editing.definitions_changed([template.pk], now=NOW)
    for minute in range(1, request.param):
        learner_passes(minute)
    return int(request.param)


def learner_passes(minute: int) -> None:
    process_batch([decode(number_passes(1, minute=minute))], now=NOW)


def lower(count: int) -> None:
    with editing.edit():
        BadgeRequirement.objects.update(count=count)
        editing.definitions_changed([BadgeTemplate.objects.get().pk], now=NOW)


class Side:
    """`work` in a thread and connection of its own."""

    def __init__(self, work: Callable[[], object]) -> None:
        self._work = work
        self._done = False
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._work()
            self._done = True
        finally:
            connections.close_all()

    def has_ended(self) -> bool:
        """Well, once it has."""
        self._thread.join()
        return self._done


def is_awarded() -> bool:
    return BadgeProgress.objects.get().complete and UserCredential.objects.exists()


def test_a_batch_that_begins_during_the_edit(enough: int) -> None:
    with transaction.atomic():
        lower(enough)
        batch = Side(partial(learner_passes, enough))
        wait_until_blocked(1)
    assert batch.has_ended()
    assert is_awarded()


def test_a_batch_that_ends_during_the_edit(enough: int) -> None:
    with transaction.atomic():
        learner_passes(enough)
        edit = Side(partial(lower, enough))
        wait_until_blocked(1)
    assert edit.has_ended()
    assert is_awarded()


def test_batches_that_overlap_let_the_edit_pass() -> None:
    def hold(lock: Callable[[], None]) -> None:
        with transaction.atomic():
            lock()

    DefinitionsVersion.bump()  # on MariaDB a row that is not there cannot be locked
    with transaction.atomic():
        DefinitionsVersion.lock_for_reading()
        edit = Side(partial(hold, DefinitionsVersion.lock_for_writing))
        wait_until_blocked(1)
        batch = Side(partial(hold, DefinitionsVersion.lock_for_reading))
        wait_until_blocked(2)
    assert edit.has_ended()
    assert batch.has_ended()


def test_a_learner_is_retired_during_the_edit() -> None:
    """Each would wait for what the other has locked: the learner, the progress."""
    template = BadgeTemplate.objects.create(name="Passed", providers=["credly"], is_active=True)
    BadgeRequirement.objects.create(template=template, key="passed", event_type=PASSING, count=9)
    with editing.edit():
        editing.definitions_changed([template.pk], now=NOW)
    learner_passes(1)
    with transaction.atomic():
        lower(1)
        leaving = Side(partial(retire, Learner.objects.get().pk, now=NOW))
        wait_until_blocked(1)
    assert leaving.has_ended()
    assert not BadgeProgress.objects.exists()
    assert UserCredential.objects.get().live is None


@pytest.mark.parametrize("enough", [2], indirect=True)
@pytest.mark.usefixtures("enough")
@pytest.mark.parametrize("meanwhile", [partial(lower, 1), partial(learner_passes, 2)])
def test_staff_award_what_is_being_awarded(meanwhile: Callable[[], None]) -> None:
    """By an edit, or by an event."""
    lower(2)
    refused: list[NothingToDoError] = []

    def award() -> None:
        with transaction.atomic():
            try:
                learner, template = Learner.objects.get(), BadgeTemplate.objects.get()
                by_hand.award(learner, template, reason="Merit", by="prof", now=NOW)
            except NothingToDoError as error:
                refused.append(error)

    with transaction.atomic():
        meanwhile()
        staff = Side(award)
        wait_until_blocked(1)
    assert staff.has_ended()
    assert refused
    assert UserCredential.objects.count() == 1


def test_an_event_that_failed_is_tried_again_while_an_edit_waits() -> None:
    """It comes once more meanwhile, in the batch that the edit waits for."""
    fail(ann_passes())
    failed = InboxEvent.objects.get()
    DefinitionsVersion.bump()

    def edit() -> None:
        with editing.edit():
            pass

    with transaction.atomic():
        DefinitionsVersion.lock_for_reading()
        editing_side = Side(edit)
        wait_until_blocked(1)
        again = Side(partial(replay.retry, failed.pk, now=NOW))
        wait_until_blocked(2)
        assert process_batch([decode(ann_passes())], now=NOW).accepted == 1
    assert editing_side.has_ended()
    assert again.has_ended()
    assert InboxEvent.objects.get().state == InboxEvent.State.ACCEPTED


def test_staff_approve_a_name_that_an_edit_lets_go_of() -> None:
    """Each would wait for what the other has locked: the learner, what waits for the name."""
    policies = BadgeTemplate.NamePolicy
    named = BadgeTemplate.objects.create(name="Named", name_policy=policies.VERIFIED_REQUIRED)
    passed = BadgeTemplate.objects.create(name="Passed", is_active=True)
    BadgeRequirement.objects.create(template=passed, key="passed", event_type=PASSING, count=9)
    templates = [named.pk, passed.pk]
    with editing.edit():
        editing.definitions_changed(templates, now=NOW)
    learner_passes(1)
    learner = Learner.objects.get()
    held = UserCredential.objects.create(learner=learner, template=named, awarded_at=NOW)
    Issuance.objects.create(credential=held, provider="pdf", state=Issuance.State.HELD)
    with editing.edit():
        BadgeTemplate.objects.update(name_policy=policies.PROFILE)
        BadgeRequirement.objects.update(count=1)
        editing.definitions_changed(templates, now=NOW)
        approve = partial(names.add, learner, name="Ann Lee", status=Status.APPROVED)
        staff = Side(partial(approve, by="prof", now=NOW))
        wait_until_blocked(1)
    assert staff.has_ended()
    assert Issuance.objects.get().state == Issuance.State.CREATED
