"""Where the time of one run goes: wall time per step, and the functions that cost most."""

import cProfile
import io
import pstats
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any
from unittest.mock import patch

from events import pipeline

# Where the consumer calls each step; steps that stand deeper are part of the one above them.
_STEPS = (
    ("  read from Redis", "consumer.stream.Streams.fresh"),
    ("  decode", "consumer.batch.decode"),
    ("  transaction", "consumer.batch.process_batch"),
    ("    learners.upsert", "credentials.learners.upsert"),
    ("      read and lock", "credentials.learners._load"),
    ("      write", "credentials.learners._rewrite"),
    ("    claims.claim", "events.claims.claim"),
    ("      make the rows", "events.claims._columns"),
    ("    badges.flow.process", "badges.flow.process"),
    ("      rulebook.current", "badges.rulebook.current"),
    ("      match", "badges.rules.book.RuleBook.match"),
    ("      progress.apply", "badges.steps.progress.apply"),
    ("        open", "badges.accounts.open_accounts"),
    ("        write", "badges.accounts.write"),
    ("      lifecycle.apply", "credentials.lifecycle.apply"),
    ("      issuances.want", "credentials.issuances.want"),
    ("      outbox.announce", "credentials.outbox.announce"),
    ("      decisions.record", "badges.steps.decisions.record"),
    ("    commit", "django.db.backends.base.base.BaseDatabaseWrapper._commit"),
    ("    tell the workers", "credentials.dispatch.send"),
    ("  acknowledge", "consumer.stream.Streams.acknowledge"),
)


def steps(run: Callable[[], object], *, events: int) -> str:
    """A table of the steps. The clocks cost about half a microsecond per call."""
    spent: dict[str, float] = {}
    with ExitStack() as stack:
        # The pipeline keeps the handlers it has found; it shall find the clocked one, then forget.
        pipeline.handlers.cache_clear()
        stack.callback(pipeline.handlers.cache_clear)
        for label, path in _STEPS:
            stack.enter_context(_clocked(label, path, spent))
        started = time.perf_counter()
        run()
        whole = time.perf_counter() - started
    rows = [("whole run", whole), *((label, spent[label]) for label, _ in _STEPS)]
    lines = [f"{'step':<28}{'us/event':>10}{'share':>8}"]
    lines += [f"{label:<28}{s / events * 1e6:>10.1f}{s / whole:>8.1%}" for label, s in rows]
    return "\n".join(lines)


@contextmanager
def _clocked(label: str, path: str, spent: dict[str, float]) -> Iterator[None]:
    """Adds the time inside the function at `path` to `spent`, while the block runs."""
    spent[label] = 0.0
    patcher: Any = patch(path, autospec=False)
    original, _ = patcher.get_original()

    @wraps(original)
    def timed(*args: Any, **kwargs: Any) -> Any:
        started = time.perf_counter()
        try:
            return original(*args, **kwargs)
        finally:
            spent[label] += time.perf_counter() - started

    with patch(path, timed):
        yield


def functions(run: Callable[[], object]) -> str:
    """The functions with the most time of their own, as cProfile sees them: it makes many small
    calls look dearer than they are.
    """
    profile = cProfile.Profile()
    profile.runcall(run)
    text = io.StringIO()
    pstats.Stats(profile, stream=text).sort_stats("tottime").print_stats(30)
    return text.getvalue()
