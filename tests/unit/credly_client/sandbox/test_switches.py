from typing import Any

import pytest

from credly_client.sandbox.faults import SWITCHES, Phase, with_extra_keys
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


def test_extra_keys_go_everywhere() -> None:
    shown = with_extra_keys({"data": [{"id": 1}], "metadata": {}})
    assert "sandbox_extra_key" in shown
    assert "sandbox_extra_key" in shown["data"][0]
    assert shown["data"][0]["id"] == 1
