"""The comparison finds every kind of difference between what was expected and what is there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import pytest

from tests.demo.findings import (
    Badge,
    Certificate,
    Findings,
    Sent,
    differences,
    read_findings,
)
from tests.demo.reckoning import Outcome, RunCounts, Standing
from tests.demo.report import table, verdict

ANN = (11, "t")
EMAIL = ("ann@example.com", "t")
INBOX = {"accepted": 2, "ignored": 0, "duplicate": 0, "failed": 0, "dead": 0}
HOLDS = Standing(
    fulfilled=frozenset({"A"}),
    groups_met=1,
    groups_required=1,
    complete=True,
    status="awarded",
    blocked=False,
)
LOST = attrs.evolve(HOLDS, fulfilled=frozenset(), groups_met=0, complete=False, status="revoked")


def expected(standing: Standing = HOLDS) -> Outcome:
    return Outcome(
        learners=frozenset({11}),
        standings={ANN: standing},
        emails={11: "ann@example.com"},
        inbox=INBOX,
        passed_over=3,
    )


def found(
    standing: Standing = HOLDS,
    *,
    sent: Sequence[Sent] = (Sent("pending", "b1"),),
    badges: Sequence[Badge] = (Badge("b1", "pending"),),
) -> Findings:
    return Findings(
        learners=frozenset({11}),
        standings={ANN: standing},
        sent={ANN: sent},
        badges={EMAIL: badges} if badges else {},
        inbox=INBOX,
        passed_over=3,
    )


SOUND = [
    pytest.param(HOLDS, found(), id="live"),
    pytest.param(
        LOST,
        found(LOST, sent=[Sent("revoked", "b1")], badges=[Badge("b1", "revoked")]),
        id="revoked",
    ),
    pytest.param(LOST, found(LOST, sent=[Sent("cancelled", None)], badges=[]), id="never-sent"),
]


@pytest.mark.parametrize(("standing", "findings"), SOUND)
def test_no_difference(standing: Standing, findings: Findings) -> None:
    assert differences(expected(standing), findings) == []


WRONG = [
    pytest.param(HOLDS, found(badges=[]), "0 badges at Credly", id="not-issued"),
    pytest.param(HOLDS, found(sent=[]), "0 issuances", id="no-issuance"),
    pytest.param(
        HOLDS,
        found(badges=[Badge("b1", "pending"), Badge("b2", "pending")]),
        "2 badges at Credly",
        id="issued-twice",
    ),
    pytest.param(
        HOLDS,
        found(badges=[Badge("b1", "pending"), Badge("b2", "revoked")]),
        "2 badges at Credly",
        id="one-too-many-in-history",
    ),
    pytest.param(HOLDS, found(badges=[Badge("b1", "deleted")]), "is deleted", id="deleted"),
    pytest.param(
        LOST,
        found(LOST, sent=[Sent("pending", "b1")]),
        "the credential is revoked, its badge is pending",
        id="not-revoked",
    ),
    pytest.param(
        LOST, found(LOST, sent=[Sent("dead", None)], badges=[]), "never sent, but dead", id="dead"
    ),
    pytest.param(
        HOLDS, found(sent=[Sent("pending", "b7")]), "the service believes", id="another-badge"
    ),
    pytest.param(
        HOLDS,
        found(LOST),
        "expected A met, 1 of 1 groups, credential awarded; found no",
        id="standing",
    ),
    pytest.param(
        HOLDS,
        attrs.evolve(
            found(), badges={**found().badges, ("eve@example.com", "t"): [Badge("x", "pending")]}
        ),
        "that nobody earned",
        id="stranger-with-a-badge",
    ),
    pytest.param(
        HOLDS, attrs.evolve(found(), learners=frozenset()), "is not known", id="learner-missing"
    ),
    pytest.param(
        HOLDS,
        attrs.evolve(found(), learners=frozenset({11, 99})),
        "should not exist",
        id="learner-invented",
    ),
    pytest.param(
        HOLDS, attrs.evolve(found(), standings={}), "found nothing", id="progress-missing"
    ),
    pytest.param(
        HOLDS,
        attrs.evolve(found(), inbox=INBOX | {"duplicate": 1}),
        "inbox, duplicate",
        id="inbox",
    ),
    pytest.param(HOLDS, attrs.evolve(found(), passed_over=4), "other types", id="passed-over"),
]


@pytest.mark.parametrize(("standing", "findings", "words"), WRONG)
def test_a_difference_is_named(standing: Standing, findings: Findings, words: str) -> None:
    assert any(words in each for each in differences(expected(standing), findings))


TOLD = ["ann@example.com"]
VALID = Certificate("k", "available", "valid", "Ann Lee", "Ann Lee\nStatistics", TOLD)
GONE = Certificate("k", "revoked", "revoked", "Ann Lee", None, TOLD)
UNTOLD = attrs.evolve(GONE, told=[])  # lost before the mail went out


def of_a_certificate(standing: Standing, certificate: Certificate | None) -> list[str]:
    want = attrs.evolve(expected(standing), printed={ANN: "Ann Lee"})
    state = "pending" if standing is HOLDS else "revoked"
    at_credly = found(standing, sent=[Sent(state, "b1")], badges=[Badge("b1", state)])
    have = attrs.evolve(at_credly, certificates={ANN: certificate} if certificate else {})
    return differences(want, have)


@pytest.mark.parametrize(
    ("standing", "certificate"), [(HOLDS, VALID), (LOST, GONE), (LOST, UNTOLD)]
)
def test_a_certificate_as_it_should_be(standing: Standing, certificate: Certificate) -> None:
    assert of_a_certificate(standing, certificate) == []


@pytest.mark.parametrize(
    ("standing", "certificate", "words"),
    [
        (HOLDS, None, "there is no certificate for Ann Lee"),
        (HOLDS, attrs.evolve(VALID, name="Eve"), "no valid one for Ann Lee"),
        (HOLDS, attrs.evolve(VALID, text="Eve\nStatistics"), "no valid one for Ann Lee"),
        (HOLDS, attrs.evolve(VALID, text=None), "no valid one for Ann Lee"),
        (HOLDS, attrs.evolve(VALID, state="error"), "no valid one for Ann Lee"),
        (HOLDS, GONE, "no valid one for Ann Lee"),
        (LOST, VALID, "not withdrawn"),
        (LOST, attrs.evolve(GONE, text="Ann Lee"), "not withdrawn"),
        (LOST, attrs.evolve(GONE, status="valid"), "not withdrawn"),
        (HOLDS, attrs.evolve(VALID, told=[]), "mails went to []"),
        (HOLDS, attrs.evolve(VALID, told=["eve@example.com"]), "mails went to ['eve@example.com']"),
        (HOLDS, attrs.evolve(VALID, told=TOLD * 2), "mails went to ['ann@example.com', 'ann"),
        (LOST, attrs.evolve(GONE, told=TOLD * 2), "mails went to ['ann@example.com', 'ann"),
    ],
)
def test_a_certificate_that_is_wrong(
    standing: Standing, certificate: Certificate | None, words: str
) -> None:
    (difference,) = of_a_certificate(standing, certificate)
    assert words in difference


def test_a_certificate_that_nobody_earned() -> None:
    found_one = attrs.evolve(found(), certificates={ANN: VALID})
    (difference,) = differences(expected(), found_one)
    assert "nobody earned a certificate" in difference


def test_a_run_that_counts_otherwise() -> None:
    want = attrs.evolve(expected(), run=RunCounts(evaluated=3, eligible=2, awarded=1))
    (difference,) = differences(want, found())
    assert "run of the schedule" in difference


def test_what_the_service_and_the_sandbox_say_is_understood() -> None:
    issuance = {"provider": "credly", "wanted": "issued", "state": "pending", "external_id": "b1"}
    credential = {
        "uuid": "c1",
        "status": "awarded",
        "blocked_by_revocation": False,
        "issuances": [issuance, {**issuance, "provider": "pdf", "state": "available"}],
    }
    template: dict[str, Any] = {
        "template": "t",
        "complete": True,
        "groups_met": 1,
        "groups_required": 1,
        "requirements": [{"id": "A", "fulfilled": True, "count": 1}],
        "credential": credential,
    }
    badge = {
        "id": "b1",
        "template_id": "t",
        "recipient_email": "ann@example.com",
        "state": "pending",
        "deleted": False,
    }
    state = {
        "learners": [{"lms_user_id": 11, "username": "ann", "templates": [template]}],
        "inbox": INBOX,
    }
    read = read_findings(
        state, sandbox={"badges": [badge]}, learners=frozenset({11}), messages=2 + 3
    )
    assert read == found(sent=[Sent("pending", "b1")], badges=[Badge("b1", "pending")])


def test_the_table_marks_what_differs() -> None:
    sound = table(expected(), found(), rate=1234.5)
    assert "DIFFERS" not in sound
    assert "1,234" in sound
    wrong = table(expected(), found(badges=[]), rate=1.0)
    assert [line.split(":")[0] for line in wrong.splitlines() if "DIFFERS" in line] == [
        "issued at Credly"
    ]


def test_the_verdict_shows_some_differences_and_counts_all() -> None:
    assert verdict([], expected=expected()).startswith("OK")
    text = verdict([f"number {n}" for n in range(20)], expected=expected())
    assert text.startswith("FAILED: 20 differences")
    assert "and 12 more" in text
