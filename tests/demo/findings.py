"""What the service and the sandbox say, in the words of the reckoning, and where they differ."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import attrs

from tests.demo.reckoning import Outcome, Pair, RunCounts, Standing

_LIVE: Final = frozenset({"pending", "accepted"})


@attrs.frozen
class Sent:
    """One credential at Credly, as the service recorded it."""

    state: str
    external_id: str | None


@attrs.frozen
class Badge:
    """One badge as the sandbox holds it."""

    id: str
    state: str


@attrs.frozen
class Certificate:
    """`state`: as the service recorded it; `status` and `name`: what its page tells anybody;
    `text`: of the file, None when that is not given out; `told`: whom a mail went to, each time.
    """

    key: str
    state: str
    status: str
    name: str
    text: str | None
    told: Sequence[str] = ()

    def bears(self, name: str) -> bool:
        return self.name == name and name in (self.text or "")


@attrs.frozen
class Findings:
    learners: frozenset[int]
    standings: Mapping[Pair, Standing]
    sent: Mapping[Pair, Sequence[Sent]]
    badges: Mapping[tuple[str, str], Sequence[Badge]]  # by e-mail address and template
    inbox: Mapping[str, int]
    passed_over: int
    certificates: Mapping[Pair, Certificate] = attrs.field(factory=dict)
    run: RunCounts = attrs.field(factory=RunCounts)


def read_findings(
    state: Mapping[str, Any],
    *,
    sandbox: Mapping[str, Any],
    learners: frozenset[int],
    messages: int,
    certificates: Mapping[Pair, Certificate] | None = None,
    run: RunCounts | None = None,
) -> Findings:
    """`state`: of `badges_state`; `sandbox`: of `GET /sandbox/state`; `learners`: LMS ids of all
    that the service knows; `messages`: how many it has read and acknowledged; `run`: of the
    schedule, which made an event of each eligible learner that it did not know to be so.
    """
    run = run or RunCounts()
    standings: dict[Pair, Standing] = {}
    sent: dict[Pair, list[Sent]] = {}
    for learner in state["learners"]:
        for each in learner["templates"]:
            pair = (learner["lms_user_id"], each["template"])
            standings[pair] = _standing(each)
            sent[pair] = [
                Sent(issuance["state"], issuance["external_id"])
                for issuance in (each["credential"] or {"issuances": []})["issuances"]
                if issuance["provider"] == "credly"
            ]
    badges: dict[tuple[str, str], list[Badge]] = defaultdict(list)
    for badge in sandbox["badges"]:
        key = (badge["recipient_email"], badge["template_id"])
        badges[key].append(Badge(badge["id"], "deleted" if badge["deleted"] else badge["state"]))
    inbox: dict[str, int] = dict(state["inbox"])
    return Findings(
        learners=learners,
        standings=standings,
        sent=sent,
        badges=dict(badges),
        inbox=inbox,
        passed_over=messages + run.eligible - run.skipped - sum(inbox.values()),
        certificates=certificates or {},
        run=run,
    )


def _standing(found: Mapping[str, Any]) -> Standing:
    credential = found["credential"] or {"status": None, "blocked_by_revocation": False}
    return Standing(
        fulfilled=frozenset(each["id"] for each in found["requirements"] if each["fulfilled"]),
        groups_met=found["groups_met"],
        groups_required=found["groups_required"],
        complete=found["complete"],
        status=credential["status"],
        blocked=credential["blocked_by_revocation"],
    )


def differences(expected: Outcome, found: Findings) -> list[str]:
    """Every difference in words, learner by learner and template by template."""
    return [*_of_learners(expected, found), *_of_counts(expected, found)]


def _of_learners(expected: Outcome, found: Findings) -> Iterator[str]:
    for learner in sorted(expected.learners - found.learners):
        yield f"learner {learner} is not known to the service"
    for learner in sorted(found.learners - expected.learners):
        yield f"learner {learner} should not exist"
    for pair in sorted(expected.standings.keys() | found.standings.keys()):
        want, have = expected.standings.get(pair), found.standings.get(pair)
        name = f"learner {pair[0]}, template {pair[1][-4:]}"
        if want != have:
            yield f"{name}: expected {_words(want)}; found {_words(have)}"
        status = None if want is None else want.status
        badges = found.badges.get((expected.emails.get(pair[0], ""), pair[1]), ())
        problem = _credly_problem(status, found.sent.get(pair, ()), badges)
        if problem:
            yield f"{name}: {problem}"
        problem = _certificate_problem(
            status, expected.printed.get(pair), found.certificates.get(pair)
        )
        problem = problem or _mail_problem(
            status, expected.emails.get(pair[0], ""), found.certificates.get(pair)
        )
        if problem:
            yield f"{name}: {problem}"
    ours = {(expected.emails[learner], template) for learner, template in expected.standings}
    for email, template in sorted(found.badges.keys() - ours):
        yield f"a badge of template {template[-4:]} for {email} that nobody earned"


def _words(standing: Standing | None) -> str:
    if standing is None:
        return "nothing"
    met = ", ".join(sorted(standing.fulfilled)) or "no requirement"
    groups = f"{standing.groups_met} of {standing.groups_required} groups"
    blocked = ", blocked" if standing.blocked else ""
    return f"{met} met, {groups}, credential {standing.status or 'none'}{blocked}"


def _credly_problem(
    status: str | None, sent: Sequence[Sent], badges: Sequence[Badge]
) -> str | None:
    """Whether Credly holds what the credential demands, and the service knows it."""
    states = [each.state for each in badges]
    if status is None:
        return f"badges at Credly, but nothing was earned: {states}" if states else None
    if len(sent) != 1:
        return f"{len(sent)} issuances instead of one"
    if status == "revoked" and not states and sent[0].external_id is None:
        return None if sent[0].state == "cancelled" else f"never sent, but {sent[0].state}"
    if len(states) != 1:
        return f"{len(states)} badges at Credly instead of one: {states}"
    if status == "awarded" and states[0] not in _LIVE:
        return f"the credential is live, its badge is {states[0]}"
    if status == "revoked" and states[0] != "revoked":
        return f"the credential is revoked, its badge is {states[0]}"
    if sent[0] != Sent(badges[0].state, badges[0].id):
        return f"the service believes {sent[0]}, Credly has {badges[0]}"
    return None


def _certificate_problem(
    status: str | None, printed: str | None, found: Certificate | None
) -> str | None:
    """Whether anybody sees what the credential demands; `printed`: the name, None for a template
    without certificates.
    """
    if printed is None:
        return f"nobody earned a certificate: {found}" if found else None
    if found is None:
        return f"there is no certificate for {printed}"
    if status == "revoked":
        withdrawn = (found.state, found.status, found.text) == ("revoked", "revoked", None)
        return None if withdrawn else f"the certificate is not withdrawn: {found}"
    if (found.state, found.status) != ("available", "valid") or not found.bears(printed):
        return f"the certificate is no valid one for {printed}: {found}"
    return None


def _mail_problem(status: str | None, address: str, found: Certificate | None) -> str | None:
    """Whether the learner heard of the certificate once; nobody needs to hear of a lost one."""
    if found is None or (status == "revoked" and not found.told):
        return None
    return None if list(found.told) == [address] else f"mails went to {list(found.told)}"


def _of_counts(expected: Outcome, found: Findings) -> Iterator[str]:
    for name, count in expected.inbox.items():
        if found.inbox.get(name) != count:
            yield f"inbox, {name}: expected {count}, found {found.inbox.get(name)}"
    if expected.passed_over != found.passed_over:
        yield (
            f"messages of other types: expected {expected.passed_over}, found {found.passed_over}"
        )
    if expected.run != found.run:
        yield f"run of the schedule: expected {expected.run}, found {found.run}"
