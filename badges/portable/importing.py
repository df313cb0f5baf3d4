"""An import, from the bytes of a file to its end: the same for the command and the admin."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from badges.definitions import stored_needs
from badges.editing import EditEffect
from badges.portable import apply as applying
from badges.portable import plan as planning
from badges.portable import stored
from badges.portable.definitions import Document, Faults
from badges.portable.plan import Plan, Verb
from badges.portable.reader import read
from credentials.models import DefinitionsVersion

Effects = list[tuple[str, EditEffect]]  # by name of the template

_PARTICIPLES = {
    Verb.CREATE: "created",
    Verb.UPDATE: "updated",
    Verb.UNCHANGED: "unchanged",
    Verb.DELETE: "deleted",
}


class ImportRefusedError(Exception):
    """The file cannot be imported, and nothing was changed. A line for each fault, after one that
    names the file.
    """


def decode(raw: bytes) -> str:
    """Raises ImportRefusedError."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ImportRefusedError(f"line {line}: not UTF-8; nothing was changed") from None


def parse(text: str, *, source: str, alone: bool = False) -> Document:
    """`source`: the name of the file. `alone`: no other template will be active beside those of
    the file. Three queries at most. Raises ImportRefusedError.
    """
    document = read(
        text,
        organizations=stored.organization_uuids(),
        needs={} if alone else stored_needs(),
    )
    if isinstance(document, Faults):
        raise refusal(source, document.faults)
    return document


def refusal(source: str, faults: Iterable[object]) -> ImportRefusedError:
    lines = [str(fault) for fault in faults]
    head = f"{source}: {len(lines)} fault{'s' if len(lines) > 1 else ''}; nothing was changed"
    return ImportRefusedError("\n".join([head, *lines]))


def prepare(text: str, *, source: str, prune: bool = False) -> Plan:
    """Requires the transaction in which the plan is carried out. Raises ImportRefusedError."""
    # Also because two imports that create the same template would collide.
    DefinitionsVersion.lock_for_writing()
    return planning.plan(parse(text, source=source, alone=prune), prune=prune)


def carry_out(plan: Plan, *, now: datetime) -> Effects:
    """Requires the transaction of `prepare`. A dry run does all of it too, to say what it does to
    learners; its caller takes it back.
    """
    return applying.apply(plan, now=now)


def in_words(effects: Effects) -> Iterator[str]:
    return (f"learners of {name}: {effect}" for name, effect in effects)


def outcome(plan: Plan, *, dry_run: bool) -> str:
    counts = ", ".join(f"{plan.count(verb)} {word}" for verb, word in _PARTICIPLES.items())
    return f"{'dry run, nothing was written; would be' if dry_run else 'done'}: {counts}"
