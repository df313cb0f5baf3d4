"""How many events per second go from the stream to the commit and its acknowledgement."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

# The consumer's tasks go to the broker of the settings, as in the service.
import celery_app  # noqa: F401
from badges import rulebook
from consumer.bus import BatchConsumer
from credentials.models import OutboxEvent
from events.models import InboxEvent
from tests.benchmarks import definitions, floor, listening, stock, stream
from tests.benchmarks.figures import Contender
from tests.benchmarks.stream import Stream, expect


def contenders(store: floor.Store, *, events: int) -> Sequence[Contender]:
    """All of them, over the same two streams; each run is checked for what it left behind."""
    store.create()
    quiet = stream.fill("bench-quiet", events=events, is_passing=False)
    passing = stream.fill("bench-passing", events=events, is_passing=True)
    return (
        _floor("floor_known", quiet, store=store, known=events),
        _laurel("nothing_matches_known", quiet, templates=1_000, known=events),
        _floor("floor_new", quiet, store=store),
        _laurel("nothing_matches_new", quiet, templates=1_000),
        _contender(
            "stock",
            quiet,
            prepare=lambda: None,
            consume=lambda: stock.consume(quiet, group="stock"),
            check=lambda: None,
        ),
        _laurel("templates_10", quiet, templates=10, known=events),
        _laurel("templates_100", quiet, templates=100, known=events),
        _laurel("templates_10000", quiet, templates=10_000, known=events),
        _laurel("every_event_awards", passing, templates=1_000, awards=events),
        _laurel(
            "every_event_awards_told", passing, templates=1_000, awards=events, routes=listening.ALL
        ),
    )


def _contender(
    name: str,
    source: Stream,
    *,
    prepare: Callable[[], None],
    consume: Callable[[], None],
    check: Callable[[], None],
) -> Contender:
    """One that reads the whole of `source` in a consumer group of its own name."""

    def ready() -> None:
        stream.unread(source, group=name)
        prepare()

    def verify() -> None:
        stream.check_acknowledged(source, group=name)
        check()

    return Contender(name, prepare=ready, run=consume, check=verify)


def _laurel(
    name: str,
    source: Stream,
    *,
    templates: int,
    known: int = 0,
    awards: int = 0,
    routes: Mapping[str, list[str]] = MappingProxyType({}),
) -> Contender:
    """`routes`: who listens, as in SERVICE_SIGNALS; then each award is heard of once by each."""

    def prepare() -> None:
        listening.wire(routes)
        definitions.forget_people(known=known)
        definitions.activate(templates)
        rulebook.current()  # compiled once per change of the rules, not once per stream

    def consume() -> None:
        consumer = BatchConsumer(source.topic, name, "bench", batch_size=500, until_idle=True)
        if consumer.run() != 0:
            raise RuntimeError("the consumer gave up")

    def check() -> None:
        accepted = InboxEvent.objects.filter(state=InboxEvent.State.ACCEPTED)
        expect(accepted.count(), source.events)
        expect(OutboxEvent.objects.count(), awards)
        expect(listening.heard(), awards * len(routes))

    return _contender(name, source, prepare=prepare, consume=consume, check=check)


def _floor(name: str, source: Stream, *, store: floor.Store, known: int = 0) -> Contender:
    def prepare() -> None:
        store.empty()
        people = (stream.learner(number) for number in range(known))
        rows = [
            (each.lms_user_id, each.username, each.email, each.name, True, each.as_of.isoformat())
            for each in people
        ]
        if rows:
            store.write([], rows)
        definitions.settle()

    return _contender(
        name,
        source,
        prepare=prepare,
        consume=lambda: floor.consume(source, into=store, group=name),
        check=lambda: expect(store.count(), source.events),
    )
