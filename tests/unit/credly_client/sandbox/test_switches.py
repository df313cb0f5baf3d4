from collections import Counter
from typing import Any

import pytest

from credly_client.sandbox.faults import AT_RANDOM, SWITCHES, Phase
from credly_client.sandbox.messages import Refusal, Reply
from credly_client.sandbox.switches import Switchboard

ISSUE = "POST organizations/<id>/badges"
FIND = "GET organizations/<id>/badges"
OK = Reply(document={"data": {"id": 1}})


def board(**wanted: Any) -> Switchboard:
    made = Switchboard()
    made.change(wanted)
    return made


def test_a_number_is_used_up() -> None:
    switches = board(down=2)
    for left in (1, 0):
        reply = switches.apply(Phase.BEFORE, name=ISSUE, reply=OK)
        assert reply is not None
        assert reply.status == 503
        assert reply.html is not None
        assert switches.to_document().get("down", {}).get("count", 0) == left
    assert switches.apply(Phase.BEFORE, name=ISSUE, reply=OK) is None


def test_true_lasts_until_it_is_cleared() -> None:
    switches = board(down=True)
    for _ in range(5):
        assert switches.apply(Phase.BEFORE, name=ISSUE, reply=OK) is not None
    switches.change({"down": False})
    assert switches.apply(Phase.BEFORE, name=ISSUE, reply=OK) is None


def test_a_switch_can_be_for_some_calls_only() -> None:
    switches = board(reset={"count": 1, "calls": ISSUE})
    assert switches.apply(Phase.AFTER, name=FIND, reply=OK) is None
    reply = switches.apply(Phase.AFTER, name=ISSUE, reply=OK)
    assert reply is not None
    assert reply.end == "reset"


def test_faults_of_an_answer_add_up() -> None:
    reply = board(extra_keys=True, malformed=1).apply(Phase.AFTER, name=ISSUE, reply=OK)
    assert reply is not None
    assert reply.cut
    assert "sandbox_extra_key" in (reply.document or {})


@pytest.mark.parametrize(
    ("options", "headers"), [({}, {}), ({"retry_after": 3}, {"Retry-After": "3"})]
)
def test_rate_limit_with_and_without_header(
    options: dict[str, int], headers: dict[str, str]
) -> None:
    reply = board(rate_limited={"count": 1, **options}).apply(Phase.BEFORE, name=ISSUE, reply=OK)
    assert reply is not None
    assert (reply.status, reply.headers) == (429, headers)


@pytest.mark.parametrize(
    "wanted",
    [
        {"broken": True},
        {"down": {"status": 404}},
        {"down": {"seconds": 1}},
        {"random": {"faults": ["new_badges_accepted"]}},
        {"random": {"faults": []}},
        {"random": {"one_in": 0.5}},
        {"down": -1},
        {"down": "yes"},
        {"down": {"count": 0}},
        {"down": {"cuont": 1}},
        {"timeout_after": {"seconds": "long"}},
    ],
)
def test_a_wrong_setting_changes_nothing(wanted: dict[str, Any]) -> None:
    switches = Switchboard()
    with pytest.raises(Refusal):
        switches.change({"reset": 1} | wanted)
    assert switches.to_document() == {}


def test_every_switch_can_be_set_and_read() -> None:
    switches = board(**dict.fromkeys(SWITCHES, True))
    assert set(switches.to_document()) == set(SWITCHES)


def test_a_switch_of_the_rules_is_used_up_too() -> None:
    switches = board(new_badges_accepted=1, events_appear_late={"count": 2, "seconds": 3})
    assert switches.take("new_badges_accepted") == {}
    assert switches.take("new_badges_accepted") is None
    assert [switches.take("events_appear_late") for _ in range(3)] == [
        {"seconds": 3},
        {"seconds": 3},
        None,
    ]


def test_answers_that_do_not_fit_are_not_counted() -> None:
    switches = board(messages_as_text=1, next_page_elsewhere=1)
    assert switches.apply(Phase.AFTER, name=FIND, reply=OK) is None
    assert set(switches.to_document()) == {"messages_as_text", "next_page_elsewhere"}
    assert switches.struck == {}


def struck_at_random(**options: Any) -> list[str]:
    """The fault of each of 300 calls, or nothing."""
    switches = board(random=options)
    seen = []
    for _ in range(300):
        before = Counter(switches.struck)
        if switches.apply(Phase.BEFORE, name=ISSUE, reply=OK) is None:
            switches.apply(Phase.AFTER, name=ISSUE, reply=OK)
        seen.append("".join(switches.struck - before))
    return seen


def test_one_in_three_at_random_each_in_one_of_the_ways() -> None:
    seen = struck_at_random(one_in=3, seed=5)
    assert 80 <= len([fault for fault in seen if fault]) <= 120
    assert {*seen} == {"", *AT_RANDOM}
    assert struck_at_random(one_in=3, seed=5) == seen
    assert struck_at_random(one_in=3, seed=6) != seen


def test_every_call_at_random() -> None:
    assert {*struck_at_random(one_in=1, faults=["down", "forbidden"])} == {"down", "forbidden"}


def test_random_faults_for_some_calls_and_so_often() -> None:
    switches = board(random={"one_in": 1, "count": 2, "calls": ISSUE, "faults": ["down"]})
    hits = [
        switches.apply(Phase.BEFORE, name=name, reply=OK) is not None
        for name in (FIND, ISSUE, FIND, ISSUE, ISSUE)
    ]
    assert hits == [False, True, False, True, False]
    assert switches.struck == {"down": 2}


def test_one_organization_only() -> None:
    switches = Switchboard()
    switches.change({"down": {"organization": "acme"}})
    assert switches.apply(Phase.BEFORE, name=ISSUE, reply=OK, organization="acme") is not None
    assert switches.apply(Phase.BEFORE, name=ISSUE, reply=OK, organization="globex") is None
    assert switches.apply(Phase.BEFORE, name=ISSUE, reply=OK) is None
    assert switches.to_document()["down"]["organization"] == "acme"
