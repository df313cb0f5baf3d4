"""The cases of one database. The environment says which: `__main__` starts this module."""

import argparse
import sys
from collections.abc import Sequence
from contextlib import closing
from functools import partial

import django

django.setup()

from django.core.management import call_command  # noqa: E402 -- Django has to be set up first

from tests.benchmarks import (  # noqa: E402
    cases,
    certificates,
    crowd,
    definitions,
    floor,
    issuing,
    profiling,
    rules,
    schedules,
    statements,
    throughput,
)
from tests.benchmarks.figures import Figure, seconds_of  # noqa: E402

_TEMPLATES = 10_000
_CERTIFICATES = 100


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--database", required=True)
    parser.add_argument("--case")
    parser.add_argument("--events", type=int, required=True)
    parser.add_argument("--repeat", type=int, required=True)
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args(arguments)
    call_command("migrate", verbosity=0, interactive=False)
    definitions.create(_TEMPLATES)
    if options.profile:
        _profile(options.case, events=options.events)
        return 0
    case, database, repeat = options.case, options.database, options.repeat
    if wanted := cases.with_yardsticks(case):
        _throughput(wanted, database=database, events=options.events, repeat=repeat)
    if case in {None, cases.CONSUMERS}:
        one, two = crowd.measure(database=database, events=4 * options.events, repeat=repeat)
        _print(one)
        _print(two, one)
    _rules(case, database=database, events=options.events, repeat=repeat)
    if case in {None, cases.STATEMENTS}:
        for figure in statements.per_batch(database=database):
            _print(figure)
    _beside(case, database=database, repeat=repeat)
    return 0


def _beside(case: str | None, *, database: str, repeat: int) -> None:
    if case in {None, cases.CERTIFICATE}:
        drawn, bare = certificates.drawn(database=database, repeat=repeat, number=_CERTIFICATES)
        _print(bare)
        _print(drawn, bare)
    if case in {None, cases.ISSUING}:
        for figure, against in issuing.figures(database=database, repeat=repeat):
            _print(figure, *against)
    if case in {None, cases.SCHEDULE_RUN}:
        for figure, others in schedules.figures(database=database, repeat=repeat):
            _print(figure, *others)


def _rules(case: str | None, *, database: str, events: int, repeat: int) -> None:
    if case in {None, cases.COMPILE}:
        compiled, read = rules.compile_time(database=database, repeat=repeat, templates=_TEMPLATES)
        _print(read)
        _print(compiled, read)
    if case in {None, cases.DECODE}:
        decoded, none, one = rules.evaluation(
            database=database, events=events, repeat=repeat, templates=_TEMPLATES
        )
        _print(decoded)
        _print(none, decoded)
        _print(one, decoded)
    if case in {None, cases.MEMORY}:
        for figure in rules.memory(database=database, repeat=repeat, templates=_TEMPLATES):
            _print(figure)


def _throughput(wanted: Sequence[str], *, database: str, events: int, repeat: int) -> None:
    with closing(floor.store()) as store:
        contenders = throughput.contenders(store, events=events)
        chosen = [each for each in contenders if each.name in wanted]
        seconds_of(chosen, repeat=1)  # caches, schemas and connections
        seconds = seconds_of(chosen, repeat=repeat)
    figures = {
        name: Figure(name, database, tuple(events / each for each in values), "events/s")
        for name, values in seconds.items()
    }
    for name, figure in figures.items():
        # A yardstick's own yardsticks do not run when only one case is asked for.
        measured = [figures[other] for other in cases.THROUGHPUT[name] if other in figures]
        _print(figure, *measured)


def _print(figure: Figure, *against: Figure) -> None:
    print(figure.to_line(against=against), flush=True)


def _profile(case: str, *, events: int) -> None:
    with closing(floor.store()) as store:
        contenders = {each.name: each for each in throughput.contenders(store, events=events)}
        contender = contenders[case]
        for show in (partial(profiling.steps, events=events), profiling.functions):
            seconds_of([contender], repeat=1)
            contender.prepare()
            print(show(contender.run), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
