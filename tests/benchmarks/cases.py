"""Names of the cases and the yardsticks each is compared with. Importable without Django."""

from collections.abc import Mapping
from typing import Final

# Throughput of one stream from its first to its last event, and what it is divided by.
THROUGHPUT: Final[Mapping[str, tuple[str, ...]]] = {
    "floor_known": (),
    "floor_new": (),
    "stock": (),
    "nothing_matches_known": ("floor_known", "stock"),
    "nothing_matches_new": ("floor_new", "stock"),
    "templates_10": (),
    "templates_100": ("templates_10",),
    "templates_10000": ("templates_10",),
    "every_event_awards": ("stock",),
    "every_event_awards_told": ("every_event_awards",),
}
# Processes of their own on one stream.
CONSUMERS_1: Final = "consumers_1"
CONSUMERS_2: Final = "consumers_2"
CONSUMERS: Final = "consumers"
# The rules in memory: time to compile them, and how much memory they take.
COMPILE: Final = "compile_10000"
READ: Final = "read_rows_10000"
MEMORY: Final = "memory_10000"
MEMORY_PEAK: Final = "memory_10000_peak"
STATEMENTS: Final = "statements_per_batch"
# One event in memory: decoding it, and matching it against 10,000 templates.
DECODE: Final = "decode"
MATCH_NONE: Final = "match_none_10000"
MATCH_ONE: Final = "match_one_10000"
# One certificate: as it is drawn, and what the two libraries below take for the same page.
CERTIFICATE: Final = "certificate"
CERTIFICATE_BARE: Final = "certificate_bare"

# A schedule over 50,000 learners: fetching alone, the first run, one that finds nothing new, and
# the memory that the number of learners costs.
SCHEDULE_RUN: Final = "schedule_run"
SCHEDULE_FETCH: Final = "schedule_fetch"
SCHEDULE_AGAIN: Final = "schedule_run_again"
SCHEDULE_MEMORY: Final = "schedule_memory"

# Workers at a Credly that answers in 200 ms: badges in a minute, and waiting beside a slow one.
ISSUING: Final = "issuing"

CASES: Final = (
    *THROUGHPUT,
    CONSUMERS,
    COMPILE,
    DECODE,
    MEMORY,
    STATEMENTS,
    CERTIFICATE,
    ISSUING,
    SCHEDULE_RUN,
)


def with_yardsticks(case: str | None) -> tuple[str, ...]:
    """The throughput cases to run for `case`; all for None, none when it is of another kind."""
    if case is None:
        return tuple(THROUGHPUT)
    return (*THROUGHPUT[case], case) if case in THROUGHPUT else ()
