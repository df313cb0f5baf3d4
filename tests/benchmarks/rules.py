"""The compiled rules: the time to make them, and the memory they take."""

import json
import subprocess
from collections.abc import Iterable

import attrs
from opaque_keys.edx.keys import CourseKey

from badges import rulebook
from events.wire import decode
from tests.benchmarks import cases, definitions, stream
from tests.benchmarks.figures import Contender, Figure, seconds_of
from tests.processes import PYTHON, ROOT


def compile_time(*, database: str, repeat: int, templates: int) -> tuple[Figure, Figure]:
    """Loading and compiling as the service does it, and merely reading the same rows."""
    definitions.activate(templates)
    contenders = (
        Contender(cases.READ, rulebook.forget, definitions.read_rows),
        Contender(cases.COMPILE, rulebook.forget, lambda: rulebook.load(version=1)),
    )
    seconds = seconds_of(contenders, repeat=repeat)
    return (
        Figure(cases.COMPILE, database, seconds[cases.COMPILE], "s"),
        Figure(cases.READ, database, seconds[cases.READ], "s"),
    )


def evaluation(
    *, database: str, events: int, repeat: int, templates: int
) -> tuple[Figure, Figure, Figure]:
    """One event after the other, in memory: decoded; matched against all templates, of which none
    can match (a course that no template names); matched where one requirement of four rules does.
    """
    definitions.activate(templates)
    book = rulebook.current()
    raw = list(stream.messages("evaluation", events=events, is_passing=True))
    one = [decode(message) for message in raw]
    strange = CourseKey.from_string("course-v1:Bench+Nobody+2026")
    none = [
        event._replace(
            payload=attrs.evolve(
                event.payload, course=attrs.evolve(event.payload.course, course_key=strange)
            ),
        )
        for event in one
    ]
    expected = {cases.MATCH_NONE: 0, cases.MATCH_ONE: events}
    for name, sample in ((cases.MATCH_NONE, none), (cases.MATCH_ONE, one)):
        found = sum(len(book.match(event)) for event in sample)
        if found != expected[name]:
            raise AssertionError(f"{name}: {found} matches")
    contenders = (
        Contender(cases.DECODE, _nothing, lambda: [decode(message) for message in raw]),
        Contender(cases.MATCH_NONE, _nothing, lambda: [book.match(event) for event in none]),
        Contender(cases.MATCH_ONE, _nothing, lambda: [book.match(event) for event in one]),
    )
    seconds = seconds_of(contenders, repeat=repeat)
    return (
        Figure(cases.DECODE, database, _each(seconds[cases.DECODE], events), "us/event"),
        Figure(cases.MATCH_NONE, database, _each(seconds[cases.MATCH_NONE], events), "us/event"),
        Figure(cases.MATCH_ONE, database, _each(seconds[cases.MATCH_ONE], events), "us/event"),
    )


def _nothing() -> None:
    pass


def _each(seconds: Iterable[float], events: int) -> tuple[float, ...]:
    """Microseconds per event."""
    return tuple(each / events * 1e6 for each in seconds)


def memory(*, database: str, repeat: int, templates: int) -> tuple[Figure, Figure]:
    """What a consumer's process has in memory with the templates, over one without any: after a
    first batch, and at the worst moment until then.
    """
    resident, peak = [], []
    for _ in range(repeat):
        definitions.activate(0)
        empty = _consumer_process()
        definitions.activate(templates)
        full = _consumer_process()
        resident.append(full["resident"] - empty["resident"])
        peak.append(full["peak"] - empty["peak"])
    return (
        Figure(cases.MEMORY, database, tuple(resident), "MB"),
        Figure(cases.MEMORY_PEAK, database, tuple(peak), "MB"),
    )


def _consumer_process() -> dict[str, float]:
    definitions.forget_people()
    command = [PYTHON, "-m", "tests.benchmarks.one_batch"]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, timeout=120)
    return dict(json.loads(done.stdout))
