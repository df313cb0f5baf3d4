"""Every example of docs/badges/rules.md does what the document says."""

from pathlib import Path
from typing import Any, Final

import pytest

from badges.models import Decision
from badges.rules.operators import OPERATORS
from tests.functional.conftest import Service
from tests.functional.example_runs import differences
from tests.functional.worked_examples import Block, Example, read_examples

TEXT: Final = (Path(__file__).parents[2] / "docs/badges/rules.md").read_text()
EXAMPLES: Final = read_examples(TEXT)


def _counts_learners(example: Example) -> bool:
    """What an import prints about learners counts those of all examples that run with it."""
    return any(isinstance(each, Block) and each.kind == "import" for each in example.parts)


TOGETHER: Final = [each for each in EXAMPLES if not _counts_learners(each)]
ALONE: Final = [pytest.param(each, id=each.title) for each in EXAMPLES if _counts_learners(each)]


def test_each_example_does_what_it_says(service: Service) -> None:
    found = differences(service, TOGETHER)
    assert not found, "\n" + "\n".join(found)
    assert service.state()["inbox"]["failed"] == 0


@pytest.mark.parametrize("example", ALONE)
def test_each_edit_does_what_it_says(service: Service, example: Example) -> None:
    found = differences(service, [example])
    assert not found, "\n" + "\n".join(found)


def test_every_operator_has_its_own_example() -> None:
    by_title = {each.title: each for each in EXAMPLES}
    for name in OPERATORS:
        assert f"operator: {name}" in by_title[name].rules[0].text


def test_every_outcome_is_shown() -> None:
    shown = " ".join(row.then for each in EXAMPLES for row in each.rows).replace(",", "").split()
    assert set(Decision.Outcome.values) <= set(shown)


def test_every_block_of_rules_is_run() -> None:
    """A block that no table or answer follows would only be claimed."""
    assert TEXT.count("```yaml") == sum(len(each.rules) for each in EXAMPLES)
    for each in EXAMPLES:
        assert each.rules, each.title
        assert each.rows or _is_refused(each), each.title


def _is_refused(example: Example) -> Any:
    return any(isinstance(each, Block) and each.kind == "refused" for each in example.parts)
