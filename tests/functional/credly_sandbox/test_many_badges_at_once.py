"""A batch: all of it, or one badge to blame."""

from uuid import uuid4

import pytest

from credly_client.client import CredlyClient
from credly_client.errors import BatchRefused, OutcomeUnknown
from tests.functional.credly_sandbox.academy import Academy

BATCH = "POST organizations/<id>/badges/batch"


def issued(academy: Academy) -> int:
    return len(academy.state()["badges"])


def test_fifty_in_one_call(academy: Academy, credly: CredlyClient) -> None:
    wanted = [academy.badge_for(f"learner{number}") for number in range(50)]
    badges = credly.issue_badges(wanted)
    assert [badge.issuer_earner_id for badge in badges] == [
        badge.issuer_earner_id for badge in wanted
    ]
    assert issued(academy) == 50
    assert academy.calls(BATCH) == 1


@pytest.mark.parametrize("halfway", [False, True])
def test_one_to_blame(academy: Academy, credly: CredlyClient, halfway: bool) -> None:
    """Whether those before it are issued is not known of Credly: look, then send the rest."""
    academy.switch(batch_stops_in_the_middle=halfway)
    wanted = [academy.badge_for(name) for name in ("ann", "bob", "prof")]
    wanted.insert(2, academy.badge_for("eve", recipient_email="nowhere"))
    with pytest.raises(BatchRefused) as caught:
        credly.issue_badges(wanted)
    assert caught.value.error_index == 2
    assert not caught.value.duplicate
    assert caught.value.errors[0].attribute == "recipient_email"
    assert issued(academy) == (2 if halfway else 0)

    del wanted[2]
    missing = [
        badge
        for badge in wanted
        if not credly.find_badges(
            issuer_earner_id=badge.issuer_earner_id, template_id=badge.template_id
        )
    ]
    credly.issue_badges(missing)
    assert issued(academy) == 3


def test_somebody_who_has_it(academy: Academy, credly: CredlyClient) -> None:
    credly.issue_badge(academy.badge_for("bob"))
    with pytest.raises(BatchRefused) as caught:
        credly.issue_badges([academy.badge_for("ann"), academy.badge_for("bob")])
    assert (caught.value.error_index, caught.value.duplicate) == (1, True)
    assert issued(academy) == 1


def test_one_address_twice_in_a_batch(academy: Academy, credly: CredlyClient) -> None:
    again = academy.badge_for("bob", recipient_email="ANN@example.com")
    with pytest.raises(BatchRefused) as caught:
        credly.issue_badges([academy.badge_for("ann"), again])
    assert (caught.value.error_index, caught.value.duplicate) == (1, True)
    assert issued(academy) == 0


def test_two_templates_for_one_learner(academy: Academy, credly: CredlyClient) -> None:
    other = str(uuid4())
    academy.put_template(id=other, name="Writer")
    first, second = credly.issue_badges(
        [academy.badge_for("ann", template_id=other), academy.badge_for("ann")]
    )
    assert (str(first.template_id), str(second.template_id)) == (other, academy.template_id)


@pytest.mark.parametrize(("switch", "found"), [("reset", 2), ("malformed", 2), ("down", 0)])
def test_a_lost_answer(academy: Academy, credly: CredlyClient, switch: str, found: int) -> None:
    academy.switch(**{switch: {"count": 1, "calls": BATCH}})
    with pytest.raises(OutcomeUnknown):
        credly.issue_badges([academy.badge_for("ann"), academy.badge_for("bob")])
    assert issued(academy) == found
