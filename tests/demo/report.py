"""The table that the demo prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from tests.demo.findings import Findings
from tests.demo.reckoning import Outcome, Standing

_WIDTH: Final = 62
_SHOWN: Final = 8  # differences


def table(expected: Outcome, found: Findings, *, rate: float) -> str:
    """`rate`: messages per second."""
    lines = [f"{'':<{_WIDTH}}{'expected':>9}{'found':>9}"]
    lines += [
        f"{name:<{_WIDTH}}{want:>9,}{have:>9,}{'' if want == have else '   DIFFERS'}"
        for name, want, have in _rows(expected, found)
    ]
    name = "events per second (consumer, first read to last ack)"
    lines.append(f"{name:<{_WIDTH}}{rate:>18,.0f}")
    return "\n".join(lines)


def verdict(differences: Sequence[str], *, expected: Outcome) -> str:
    compared = f"{len(expected.learners)} learners compared one by one"
    if not differences:
        return f"OK: Laurel and Credly hold exactly what the stream demands, {compared}."
    shown = [f"  {each}" for each in differences[:_SHOWN]]
    if len(differences) > _SHOWN:
        shown.append(f"  and {len(differences) - _SHOWN} more")
    return "\n".join([f"FAILED: {len(differences)} differences, {compared}:", *shown])


def _rows(expected: Outcome, found: Findings) -> Iterator[tuple[str, int, int]]:
    want, have = _counts(expected.standings.values()), _counts(found.standings.values())
    at_credly = Counter(badge.state for badges in found.badges.values() for badge in badges)
    # Whether a badge reached Credly before it was lost again is a matter of moments; the expected
    # number allows for those that the service says it never sent.
    unsent = sum(sent.state == "cancelled" for each in found.sent.values() for sent in each)
    yield "learners", len(expected.learners), len(found.learners)
    yield "progress: pairs of learner and badge template", want["progress"], have["progress"]
    yield "awarded: live credentials", want["awarded"], have["awarded"]
    yield "revoked: credentials lost by a penalty", want["revoked"], have["revoked"]
    yield "blocked: earned again, but a revoked badge stays so", want["blocked"], have["blocked"]
    yield "issued at Credly: live badges", want["awarded"], at_credly["pending"]
    name = f"revoked at Credly (besides {unsent} lost before they were sent)"
    yield name, want["revoked"] - unsent, at_credly["revoked"]
    for key, label in (
        ("evaluated", "schedule: learners of one course, asked about at the platform"),
        ("eligible", "schedule: eligible, with 80 % of that course completed"),
        ("awarded", "schedule: badges of its run (the others had not passed)"),
        ("failed", "schedule: could not be judged, the others were"),
    ):
        yield label, getattr(expected.run, key), getattr(found.run, key)
    yield from _certificates(expected, found)
    for key, label in (
        ("accepted", "inbox: accepted, Laurel's own and the schedule's included"),
        ("duplicate", "inbox: duplicates, dropped"),
        ("ignored", "inbox: ignored, because they name no learner"),
        ("failed", "inbox: undecodable, kept to be tried again"),
    ):
        yield label, expected.inbox[key], found.inbox[key]
    name = "messages of types nobody configured, passed over"
    yield name, expected.passed_over, found.passed_over


def _certificates(expected: Outcome, found: Findings) -> Iterator[tuple[str, int, int]]:
    want = _counts(expected.standings[pair] for pair in expected.printed)
    seen = Counter(each.status for each in found.certificates.values() if each.text)
    gone = Counter(each.status for each in found.certificates.values() if not each.text)
    yield "certificates: PDF files anybody can check", want["awarded"], seen["valid"]
    yield "certificates: withdrawn, and their pages say so", want["revoked"], gone["revoked"]
    told = sum(len(each.told) for each in found.certificates.values() if each.text)
    yield "certificates: mails to their holders, one each", want["awarded"], told


def _counts(standings: Iterable[Standing]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for each in standings:
        counts["progress"] += 1
        counts["blocked"] += each.blocked
        if each.status:
            counts[each.status] += 1
    return counts
