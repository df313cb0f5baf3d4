"""All examples of a document at once through the real path: each has its own template and its own
people, so they share imports, topic and batches.
"""

import io
import re
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import Any, Final

import attrs
import yaml
from django.core.management import CommandError, call_command

from badges.models import Decision
from badges.portable.definitions import Faults
from badges.portable.reader import read
from tests.functional.conftest import Service
from tests.functional.example_events import event_line
from tests.functional.worked_examples import COMMANDS, THE_EDIT, Block, Example, Row, import_file

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

Part = Block | Row


def differences(service: Service, examples: Sequence[Example]) -> list[str]:
    """Where what happens is not what the examples say; empty when all is as written."""
    runs = [Run(each) for each in examples if not _is_refused(each)]
    found = [text for each in examples if _is_refused(each) for text in _refusal(each)]
    for stages in zip_longest(*(_stages(run.example) for run in runs)):
        last = Decision.objects.order_by("-id").values_list("id", flat=True).first() or 0
        at_hand = [(run, stage) for run, stage in zip(runs, stages, strict=True) if stage]
        printed = _load(service, [(run, stage[0]) for run, stage in at_hand])
        sent = _send(service, at_hand)
        refused = [row for run, stage in at_hand for row in _by_hand(run, stage)]
        for run, stage in at_hand:
            for part in stage:
                seen = run.seen(part, last, sent, refused, printed)
                if seen is not None:
                    found.append(f"line {part.line}, {run.example.title!r}: {seen}")
    return found


def _stages(example: Example) -> list[list[Part]]:
    """Parts that can be carried out together: an edit and what is told of it, events, commands."""
    stages: list[list[Part]] = []
    before = ""
    for part in example.parts:
        kind = _kind(part)
        if kind == before or (kind == "told" and before == "edit"):
            stages[-1].append(part)
            continue
        before = kind
        stages.append([part])
    return stages


def _kind(part: Part) -> str:
    if isinstance(part, Row):
        if part.event == THE_EDIT:
            return "told"
        return "command" if part.event in COMMANDS else "event"
    if part.kind == "yaml":
        return "edit"
    return "told" if part.kind == "import" else "explain"


@attrs.define
class Run:
    example: Example
    template: str = ""  # uuid
    rules: dict[str, Any] = attrs.field(factory=dict)
    delivered: set[str] = attrs.field(factory=set)

    def load(self, text: str) -> None:
        rules = yaml.safe_load(text)
        self.rules = rules["templates"][-1] if "templates" in rules else rules
        self.template = self.example.uuid(text)

    def seen(
        self,
        part: Part,
        last: int,
        sent: dict[tuple[int, int], str],
        refused: list[Row],
        printed: list[str],
    ) -> str | None:
        """What was seen instead of what the part says; None when it is right."""
        if isinstance(part, Row):
            if part in refused:
                happened = "refused"
            else:
                event_id = sent.get((self.example.number, part.line))
                happened = self._decided(part.who, event_id, last)
                if event_id is not None:
                    happened = "" if event_id in self.delivered else happened
                    self.delivered.add(event_id)
            return None if happened == part.then else f"{happened or 'nothing'!r}"
        if part.kind == "import":
            name = self.rules.get("name", f"Example {self.example.number}")
            lines = [line for line in printed if line.startswith(f"learners of {name}:")]
            return _difference("\n".join(lines), part.text)
        if part.kind.startswith("explain"):
            return _difference(self._explained(part.kind.removeprefix("explain ")), part.text)
        return None

    def _decided(self, who: str, event_id: str | None, last: int) -> str:
        """The decisions about one event, or without event since decision `last`, in words."""
        rows = Decision.objects.filter(
            learner__username=self.example.username(who),
            template__uuid=self.template,
            event_id=event_id,
        )
        if event_id is None:
            rows = rows.filter(id__gt=last)
        return ", ".join(self._words(each) for each in rows.order_by("id"))

    def _words(self, decision: Decision) -> str:
        name = decision.requirement or decision.penalty
        among = "requirements" if decision.requirement else "penalties"
        prefix = f"{name} " if name and len(self.rules[among]) > 1 else ""
        outcome = str(decision.outcome)
        if decision.outcome == Decision.Outcome.COUNTED:
            outcome += f" {decision.counted}/{decision.demanded}"
        return prefix + outcome

    def _explained(self, who: str) -> str:
        output = io.StringIO()
        username = self.example.username(who)
        call_command("explain_badge", learner=username, template=self.template, stdout=output)
        return _UUID.sub("…", output.getvalue().replace(username, who))


def _load(service: Service, firsts: Iterable[tuple[Run, Part]]) -> list[str]:
    """Import every block of rules: whole files one by one, all others as one file."""
    files, items = [], []
    for run, part in firsts:
        if isinstance(part, Block) and part.kind == "yaml":
            run.load(part.text)
            if "templates" in yaml.safe_load(part.text):
                files.append(part.text)
            else:
                items.append(run.example.template(part.text))
    output = io.StringIO()
    for text in [*files, *([import_file(items)] if items else [])]:
        file = service.folder / "import.yaml"
        file.write_text(text)
        call_command("badges_import", str(file), stdout=output)
    return output.getvalue().splitlines()


def _send(
    service: Service, at_hand: Iterable[tuple[Run, list[Part]]]
) -> dict[tuple[int, int], str]:
    """Publish and consume; returns the ids of the events, by example and line."""
    lines = {
        (run.example.number, part.line): event_line(run.example, part)
        for run, stage in at_hand
        for part in stage
        if isinstance(part, Row) and _kind(part) == "event"
    }
    if lines:
        service.publish(list(lines.values()))
        assert service.consume() == 0
    return {place: line["id"] for place, line in lines.items()}


def _by_hand(run: Run, stage: Iterable[Part]) -> Iterable[Row]:
    """Give the commands; yields those that were refused."""
    for part in stage:
        if isinstance(part, Row) and part.event in COMMANDS:
            arguments = {"learner": run.example.username(part.who), "template": run.template}
            reason = part.values["reason"]
            try:
                call_command(part.event, **arguments, reason=reason, stdout=io.StringIO())
            except CommandError:
                yield part


def _is_refused(example: Example) -> bool:
    return any(isinstance(each, Block) and each.kind == "refused" for each in example.parts)


def _refusal(example: Example) -> Iterable[str]:
    """Each block of rules is followed by what is said against it."""
    blocks = [each for each in example.parts if isinstance(each, Block)]
    for rules, refused in zip(blocks[::2], blocks[1::2], strict=True):
        answer = read(import_file([example.template(rules.text)]))
        faults = answer.faults if isinstance(answer, Faults) else ()
        said = [f"{each.path.removeprefix('templates[0].')}: {each.message}" for each in faults]
        difference = _difference("\n".join(said), refused.text)
        if difference is not None:
            yield f"line {refused.line}, {example.title!r}: {difference}"


def _difference(seen: str, expected: str) -> str | None:
    return None if seen.strip() == expected.strip() else f"\n{seen}"
