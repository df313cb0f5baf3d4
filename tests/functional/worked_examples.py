"""Worked examples, read from the documents themselves: what is shown is what is run.

An example is what stands under one heading:

- a `yaml` block: rules of one template (from its second block on: an edit of them), or an import
  file;
- a table whose columns begin with `when` and `who` and end with `then`: one event per line, in the
  order of delivery. `event` is its type, absent where the example has only one; the others are
  key paths. A line whose `event` is `award_badge` or `revoke_badge` is that command, one whose
  `event` is `the edit` says what the block above it did to somebody.
- a `text` block named `refused` (what the import says against the block above it), `import`
  (what it prints about learners) or `explain WHO` (what `explain_badge` prints).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

import attrs
import yaml

from tests.functional.stories import ACME

THE_EDIT: Final = "the edit"
COMMANDS: Final = frozenset({"award_badge", "revoke_badge"})
_PREFIX: Final = "org.openedx.learning."
_PART: Final = re.compile(
    r"^#+ (?P<heading>.*)$"
    r"|^```(?P<kind>.*)\n(?P<block>(?:.*\n)*?)```$"
    r"|^(?P<table>(?:\|.*\n)+)",
    re.MULTILINE,
)


@attrs.frozen
class Row:
    """One line of a table. `values` by key path; `then` in words, empty for nothing."""

    line: int
    when: str
    who: str
    event: str
    values: Mapping[str, str]
    then: str


@attrs.frozen
class Block:
    """A fenced block; `kind` is what stands behind the fence."""

    line: int
    kind: str
    text: str


@attrs.frozen
class Example:
    """`number` tells its people and events apart from those of the other examples."""

    number: int
    title: str
    parts: tuple[Block | Row, ...]

    @property
    def rules(self) -> list[Block]:
        return [each for each in self.parts if isinstance(each, Block) and each.kind == "yaml"]

    @property
    def rows(self) -> list[Row]:
        return [each for each in self.parts if isinstance(each, Row)]

    def username(self, who: str) -> str:
        return f"{who}-{self.number}"

    def uuid(self, rules: str) -> str:
        """Of the template that `rules` describe."""
        data: dict[str, Any] = yaml.safe_load(rules)
        if "templates" in data:
            return str(data["templates"][-1]["uuid"])
        return str(uuid5(NAMESPACE_URL, f"example/{self.number}"))

    def template(self, rules: str) -> str:
        """The item of an import file, with what the example leaves out. The text of the rules
        stays as it is, because how values are written matters.
        """
        left_out = {
            "uuid": self.uuid(rules),
            "name": f"Example {self.number}",
            "description": "",
            "organization": ACME,
            "providers": "[credly]",
            "is_active": "true",
        }
        given = yaml.safe_load(rules)
        head = [f"{key}: {value}" for key, value in left_out.items() if key not in given]
        inside = [*head, *rules.splitlines()]
        return "\n".join(f"{'  - ' if not n else '    '}{line}" for n, line in enumerate(inside))


def import_file(items: list[str]) -> str:
    """`items`: what Example.template gives."""
    organization = f"{{uuid: {ACME}, provider: credly, name: Acme Academy}}"
    head = ["version: 1", "organizations:", f"  - {organization}", "templates:"]
    return "\n".join([*head, *items]) + "\n"


def read_examples(text: str) -> list[Example]:
    """Every example of a document; headings without one are left out."""
    examples: list[Example] = []
    title = ""
    parts: list[Block | Row] = []
    for each in (*_parts(text), "the end"):
        if isinstance(each, str):
            if parts:
                examples.append(Example(len(examples) + 1, title, tuple(parts)))
            title, parts = each, []
        else:
            parts.append(each)
    return examples


def _parts(text: str) -> Iterator[Block | Row | str]:
    """Blocks, rows, and headings as text, in their order."""
    common = ""
    for found in _PART.finditer(text + "\n"):
        line = text.count("\n", 0, found.start()) + 1
        if found["heading"] is not None:
            yield found["heading"]
        elif found["table"] is not None:
            yield from _rows(line, found["table"].splitlines(), common)
        elif found["kind"] == "yaml":
            common = _first_type(found["block"]) or common
            yield Block(line, "yaml", found["block"])
        elif found["kind"].startswith("text "):
            yield Block(line, found["kind"].removeprefix("text "), found["block"])


def _rows(line: int, lines: list[str], common: str) -> Iterator[Row]:
    """Of a table of events; none of any other table. `lines`: header, rule, rows."""
    header, _, *rows = [
        [cell.strip().strip("`") for cell in each.strip("| ").split("|")] for each in lines
    ]
    if header[:2] == ["when", "who"]:
        for number, cells in enumerate(rows, start=line + 2):
            yield _row(number, dict(zip(header, cells, strict=True)), common)


def _row(line: int, cells: dict[str, str], common: str) -> Row:
    """`common`: the type of events where no column says it."""
    then = cells.pop("then").replace("`", "")
    event = cells.pop("event", "-")
    event = common if event == "-" else event
    if event not in {*COMMANDS, THE_EDIT} and not event.startswith(_PREFIX):
        event = f"{_PREFIX}{event}.v1"
    return Row(
        line=line,
        when=cells.pop("when"),
        who=cells.pop("who"),
        event=event,
        values={path: value for path, value in cells.items() if value not in {"", "-"}},
        then="" if then == "nothing" else then,
    )


def _first_type(rules: str) -> str:
    found = re.search(rf"event_type: ({re.escape(_PREFIX)}[\w.]+)", rules)
    return found[1] if found else ""
