"""One event is claimed once, also where a failed row of it is in the way."""

import pytest

from credentials.models import Learner
from events import claims
from events.models import InboxEvent
from events.pipeline import process_batch
from events.wire import decode
from tests.integration.claims import NOW, ann_passes, fail


@pytest.mark.django_db
def test_a_failed_row_that_somebody_else_replaced_is_not_replaced_again() -> None:
    fail(ann_passes())
    event = decode(ann_passes())
    ann = Learner.objects.create(lms_user_id=11, username="ann", profile_time=NOW)
    sifted = claims.sift([event])
    assert sifted.failed
    assert process_batch([event], now=NOW).accepted == 1  # the other consumer was faster
    row = InboxEvent.objects.get()

    ours = claims.claim(sifted, learner_ids=[ann.pk], now=NOW)

    assert not ours
    assert InboxEvent.objects.get().claim == row.claim
