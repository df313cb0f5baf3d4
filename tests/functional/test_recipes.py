"""Every recipe of docs/badges/recipes.md is an import file that works, and awards as it says."""

import io
from pathlib import Path
from typing import Final

import attrs
import yaml
from django.core.management import call_command

from credly_client.sandbox import Running
from tests.functional.conftest import Service
from tests.functional.example_events import event_line
from tests.functional.example_runs import differences
from tests.functional.worked_examples import Example, read_examples

TEXT: Final = (Path(__file__).parents[2] / "docs/badges/recipes.md").read_text()
RECIPES: Final = read_examples(TEXT)


def _import(service: Service, example: Example) -> None:
    file = service.folder / "recipe.yaml"
    file.write_text(example.rules[0].text)
    call_command("badges_import", str(file), stdout=io.StringIO())


def test_each_recipe_awards_as_it_says(service: Service) -> None:
    found = differences(service, RECIPES)
    assert not found, "\n" + "\n".join(found)
    assert service.state()["inbox"]["failed"] == 0


def test_a_badge_of_badges_follows_the_badges(service: Service, credly: Running) -> None:
    """With the events that Laurel itself publishes, not with those of the table."""
    by_title = {each.title: each for each in RECIPES}
    courses, exam = by_title["All of three courses"], by_title["Pass the proctored exam"]
    master = by_title["A badge of badges"]
    for each in (courses, exam, master):
        _import(service, each)
    verified = next(row for row in exam.rows if row.then == "fulfilled, awarded")
    rows = [row for row in courses.rows if row.who == "ann"] + [attrs.evolve(verified, who="ann")]
    service.publish([event_line(courses, row) for row in rows])
    service.consume()
    service.issue()
    service.consume()
    found = service.badge(courses.username("ann"), master.uuid(master.rules[0].text))
    assert found is not None
    assert found["credential"]["status"] == "awarded"


def test_each_recipe_is_earned_and_missed() -> None:
    assert len(RECIPES) == 16
    for each in RECIPES:
        earned = {row.who for row in each.rows if "awarded" in row.then.split(", ")}
        missed = {row.who for row in each.rows} - earned
        assert earned, each.title
        assert missed, each.title


def test_each_recipe_is_one_template_of_its_own() -> None:
    templates = [yaml.safe_load(each.rules[0].text)["templates"] for each in RECIPES]
    assert all(len(each) == 1 for each in templates)
    assert len({each[0]["uuid"] for each in templates}) == len(RECIPES)
    assert len({each[0]["name"] for each in templates}) == len(RECIPES)
