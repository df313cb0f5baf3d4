"""A schedule's run over a large course, and merely fetching the same pages."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.utils import timezone

import celery_app  # noqa: F401 -- the tasks of awards go to the broker of the settings
from badges.editing import definitions_changed
from certificates import runs, schedules
from certificates.models import CredentialType, EligibilitySchedule, ScheduleRun
from certificates.platform.api import platform
from credentials.models import BadgeTemplate, UserCredential
from tests.benchmarks import cases, definitions
from tests.benchmarks.figures import Contender, Figure, seconds_of
from tests.processes import PYTHON, ROOT, Process, free_port

LEARNERS = 50_000
ELIGIBLE = 1_000
_FEW = 5_000
_COURSE = "course-v1:Bench+Many+2026"


def figures(*, database: str, repeat: int) -> Iterator[tuple[Figure, tuple[Figure, ...]]]:
    """Each with those it is compared with."""
    definitions.activate(1_000)
    made = _schedule()
    with _sandbox(LEARNERS):
        contenders = (
            Contender(cases.SCHEDULE_FETCH, definitions.forget_people, _fetch),
            Contender(
                cases.SCHEDULE_RUN, definitions.forget_people, lambda: work(made), _all_awarded
            ),
            # Everybody is known already: all 1,000 are found again.
            Contender(cases.SCHEDULE_AGAIN, lambda: None, lambda: work(made), _all_awarded),
        )
        seconds_of(contenders[:1], repeat=1)
        values = {each.name: [] for each in contenders}  # type: dict[str, list[float]]
        for _ in range(repeat):  # always in this order: the third needs what the second left
            for name, found in seconds_of(contenders, repeat=1).items():
                values[name] += found
        timed = {name: Figure(name, database, tuple(each), "s") for name, each in values.items()}
    fetch = timed.pop(cases.SCHEDULE_FETCH)
    yield fetch, ()
    for figure in timed.values():
        yield figure, (fetch,)
    yield Figure(cases.SCHEDULE_MEMORY, database, tuple(_memory(made, repeat)), "MB"), ()


def work(made: EligibilitySchedule) -> None:
    run = runs.request(made, now=timezone.now(), queued=False)
    if not runs.work(run.pk, clock=timezone.now):
        raise AssertionError("somebody else is at it")


def _fetch() -> None:
    with platform() as asked:
        count = 0
        for page in asked.completions(_COURSE):
            count += len(asked.accounts(each.username for each in page))
    if count != LEARNERS:
        raise AssertionError(f"{count} learners fetched")


def _all_awarded() -> None:
    run = ScheduleRun.objects.first()
    if run is None or (run.state, run.evaluated) != ("done", LEARNERS):
        raise AssertionError(f"the run is {run and (run.state, run.evaluated, run.error)}")
    if UserCredential.objects.count() != ELIGIBLE:
        raise AssertionError(f"{UserCredential.objects.count()} credentials")


def _schedule() -> EligibilitySchedule:
    with transaction.atomic():
        template = BadgeTemplate.objects.create(name=f"Many {uuid4()}", is_active=True)
        kind, _ = CredentialType.objects.get_or_create(
            name="Completed", defaults={"retriever": "completions"}
        )
        made = schedules.create(
            EligibilitySchedule(type=kind, template=template, context_key=_COURSE)
        )
        schedules.require(made)
        definitions_changed([template.pk], now=timezone.now())
    return made


@contextmanager
def _sandbox(learners: int) -> Iterator[None]:
    """A platform in a process of its own, on which the settings are pointed."""
    port = free_port()
    command = [PYTHON, "-m", "certificates.platform.sandbox", "--port", str(port)]
    command += ["--learners", str(learners), "--eligible", str(learners * ELIGIBLE // LEARNERS)]
    with Process([*command, "--course", _COURSE]) as process:
        if process.stdout is None or b"sandbox" not in process.stdout.readline():
            raise AssertionError("the platform did not start")
        settings.PLATFORM_API_BASE_URL = f"http://127.0.0.1:{port}"
        settings.PLATFORM_API_CLIENT_ID = settings.PLATFORM_API_CLIENT_SECRET = "bench"
        yield


def _memory(made: EligibilitySchedule, repeat: int) -> Iterator[float]:
    """What 45,000 more learners add to the worst moment of a worker's process."""
    for _ in range(repeat):
        peaks = []
        for learners in (_FEW, LEARNERS):
            definitions.forget_people()
            with _sandbox(learners):
                command = [PYTHON, "-m", "tests.benchmarks.one_schedule", str(made.pk)]
                command += [settings.PLATFORM_API_BASE_URL]
                done = subprocess.run(
                    command, cwd=ROOT, check=True, stdout=subprocess.PIPE, timeout=300
                )
                peaks.append(float(json.loads(done.stdout.splitlines()[-1])["peak"]))
        yield peaks[1] - peaks[0]
