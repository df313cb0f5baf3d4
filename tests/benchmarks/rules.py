"""The compiled rules: the time to make them, and the memory they take."""

import json
import subprocess

from badges import rulebook
from tests.benchmarks import cases, definitions
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
