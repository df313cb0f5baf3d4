"""How many badges workers issue and revoke in a minute at a Credly that answers in 200 ms, and how
long one organization waits beside another that hardly answers.
"""

import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import IO, Final

import attrs

from credentials.models import BadgeTemplate, Issuance
from credly_client.sandbox import Running, Sandbox, serve
from tests import awards
from tests.awards import GLOBEX
from tests.benchmarks import definitions
from tests.benchmarks.figures import Figure
from tests.benchmarks.stream import expect
from tests.functional.stories import ACME
from tests.servers import PYTHON, ROOT

ANSWER: Final = 0.2  # seconds
HARDLY: Final = 10.0  # seconds in which the organization in trouble answers
AWARDS: Final = 4_000
REVOCATIONS: Final = 400
BESIDE: Final = 200

State = Issuance.State


@attrs.frozen
class _Worker:
    process: subprocess.Popen[str]
    orders: IO[str]

    def go(self) -> None:
        self.orders.write("\n")
        self.orders.flush()


def figures(*, database: str, repeat: int) -> Iterator[tuple[Figure, Sequence[Figure]]]:
    """Each with those it is to be compared with."""
    rates: dict[str, list[float]] = {}
    with serve(Sandbox(None)) as credly:
        os.environ.update(awards.environment(ACME, GLOBEX), CREDLY_API_BASE_URL=credly.api_url)
        for _ in range(repeat):
            for workers in (1, 4):
                issued, revoked = _rates(credly, workers=workers)
                rates.setdefault(f"issuing_{workers}", []).append(issued)
                rates.setdefault(f"revoking_{workers}", []).append(revoked)
            for name, slow in (("issuing_alone", False), ("issuing_beside_slow", True)):
                rates.setdefault(name, []).append(_wait_of_one(credly, beside_slow=slow))
    found = {
        name: Figure(name, database, tuple(values), "s" if name in _WAITS else "badges/min")
        for name, values in rates.items()
    }
    for name, other in _COMPARED.items():
        yield found[name], [found[other]] if other else []


_WAITS: Final = frozenset({"issuing_alone", "issuing_beside_slow"})
_COMPARED: Final = {
    "issuing_1": None,
    "issuing_4": "issuing_1",
    "revoking_1": None,
    "revoking_4": "revoking_1",
    "issuing_alone": None,
    "issuing_beside_slow": "issuing_alone",
}


def _rates(credly: Running, *, workers: int) -> tuple[float, float]:
    """Issued as batches, and revoked one by one, in a minute."""
    _start_anew(credly)
    template, learners = awards.offer(ACME), awards.enroll(AWARDS)
    awards.decide(template, learners)
    issued = _seconds(workers)
    expect(Issuance.objects.filter(state=State.PENDING).count(), AWARDS)
    awards.decide(template, learners[:REVOCATIONS], complete=False)
    revoked = _seconds(workers)
    expect(Issuance.objects.filter(state=State.REVOKED).count(), REVOCATIONS)
    return AWARDS / issued * 60, REVOCATIONS / revoked * 60


def _wait_of_one(credly: Running, *, beside_slow: bool) -> float:
    """Seconds until all badges of Globex are issued by one worker."""
    _start_anew(credly)
    learners = awards.enroll(1_000)
    globex = awards.offer(GLOBEX)
    if beside_slow:
        credly.sandbox.control("switches", {"slow": {"organization": ACME, "seconds": HARDLY}})
        awards.decide(awards.offer(ACME), learners)
    else:
        credly.sandbox.control("switches", {"slow": False})
    awards.decide(globex, learners[:BESIDE])
    mine = Issuance.objects.filter(credential__template=globex)
    with _ready(1) as (worker,):
        worker.go()
        began = time.perf_counter()
        while mine.exclude(state=State.PENDING).exists():
            time.sleep(0.005)
        return time.perf_counter() - began


def _seconds(workers: int) -> float:
    with _ready(workers) as all_:
        began = time.perf_counter()
        for each in all_:
            each.go()
        for each in all_:
            expect(each.process.wait(), 0)
        return time.perf_counter() - began


@contextmanager
def _ready(workers: int) -> Iterator[Sequence[_Worker]]:
    """Those that are not done at the end are killed."""
    command = [PYTHON, "-m", "tests.benchmarks.issuer"]
    with ExitStack() as stack:
        found = []
        for _ in range(workers):
            process = stack.enter_context(
                subprocess.Popen(
                    command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
                )
            )
            stack.callback(process.kill)
            if process.stdin is None or process.stdout is None:
                raise RuntimeError("no pipes")
            found.append((_Worker(process, process.stdin), process.stdout))
        for _, answers in found:
            expect(len(answers.readline()), len("ready\n"))
        yield [worker for worker, _ in found]


def _start_anew(credly: Running) -> None:
    definitions.forget_people(known=0)
    BadgeTemplate.objects.filter(organization__isnull=False).delete()
    credly.sandbox.control("reset")
    awards.introduce(credly.sandbox, ACME, GLOBEX)
    credly.sandbox.control("switches", {"slow": {"seconds": ANSWER}})
