"""The table that the demo prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from tests.demo.findings import Findings
from tests.demo.reckoning import Outcome, Standing

_SHOWN = 8  # differences


def table(expected: Outcome, found: Findings, *, rate: float) -> str:
    """`rate`: messages per second."""
    lines = [f"{'':<52}{'expected':>9}{'found':>9}"]
    lines += [
        f"{name:<52}{want:>9,}{have:>9,}{'' if want == have else '   DIFFERS'}"
        for name, want, have in _rows(expected, found)
    ]
    lines.append(f"{'events per second, consumer, first read to last ack.':<52}{rate:>18,.0f}")
    return "\n".join(lines)


def verdict(differences: Sequence[str], *, expected: Outcome) -> str:
    compared = f"{len(expected.learners)} learners, one by one"
    if not differences:
        return f"OK: Laurel and Credly hold what the stream demands ({compared})."
    shown = [f"  {each}" for each in differences[:_SHOWN]]
    if len(differences) > _SHOWN:
        shown.append(f"  and {len(differences) - _SHOWN} more")
    return "\n".join([f"FAILED: {len(differences)} differences ({compared}):", *shown])


def _rows(expected: Outcome, found: Findings) -> Iterator[tuple[str, int, int]]:
    want, have = _counts(expected.standings.values()), _counts(found.standings.values())
    at_credly = Counter(badge.state for badges in found.badges.values() for badge in badges)
    never_sent = sum(sent.state == "cancelled" for each in found.sent.values() for sent in each)
    live = at_credly["pending"] + at_credly["accepted"]
    revoked = at_credly["revoked"]
    yield "learners", len(expected.learners), len(found.learners)
    yield "progress: learners on the way to a badge", want["progress"], have["progress"]
    yield "awarded: credentials that are live", want["awarded"], have["awarded"]
    yield "revoked: credentials lost by a penalty", want["revoked"], have["revoked"]
    yield "blocked: earned again, but once revoked", want["blocked"], have["blocked"]
    yield "issued at Credly: live badges", want["awarded"], live
    # Whether a badge was sent before it was lost again is a matter of moments.
    name = f"revoked at Credly (and {never_sent} withdrawn before they were sent)"
    yield name, want["revoked"] - never_sent, revoked
    for key, label in (
        ("accepted", "inbox: accepted, with the awards of Laurel itself"),
        ("duplicate", "inbox: duplicates dropped"),
        ("ignored", "inbox: without a learner, ignored"),
        ("failed", "inbox: undecodable, kept to be tried again"),
    ):
        yield label, expected.inbox[key], found.inbox[key]
    yield "of types nobody configured, passed over", expected.passed_over, found.passed_over


def _counts(standings: Iterable[Standing]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for each in standings:
        counts["progress"] += 1
        counts["blocked"] += each.blocked
        if each.status:
            counts[each.status] += 1
    return counts
