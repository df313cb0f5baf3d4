"""How many SQL statements one batch costs, begin and commit included."""

from collections.abc import Iterator
from itertools import count

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

import celery_app  # noqa: F401 -- the tasks of awards go to the broker of the settings
from badges import rulebook
from consumer.batch import decode_all, process
from tests.benchmarks import cases, definitions, stream
from tests.benchmarks.figures import Figure

_TEMPLATES = (1, 100, 1_000)
_EVENTS = (1, 100, 500)


def per_batch(*, database: str) -> Iterator[Figure]:
    """One figure per size of a batch; its values are those with 1, 100 and 1,000 templates."""
    topics = count(1)  # every batch has events and ids of its own
    for awards in (False, True):
        kind = "awards" if awards else "nothing_matches"
        for events in _EVENTS:
            values = [
                _statements(f"bench-{next(topics)}", events, templates, awards)
                for templates in _TEMPLATES
            ]
            yield Figure(
                f"{cases.STATEMENTS}_{kind}_{events}", database, tuple(values), "statements"
            )


def _statements(topic: str, events: int, templates: int, awards: bool) -> int:
    definitions.forget_people()
    definitions.activate(templates)
    rulebook.current()
    messages = list(stream.messages(topic, events=events, is_passing=awards))
    with CaptureQueriesContext(connection) as captured:
        process(decode_all(messages), clock=timezone.now)
    return len(captured)
