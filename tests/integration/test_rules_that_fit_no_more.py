"""Stored rules that cannot work any more are disabled, loudly, and stop nobody else."""

import pytest

from badges import rulebook
from badges.checks import stored_rules_fit
from badges.models import BadgeRequirement
from credentials.models import BadgeTemplate

PASSING = "org.openedx.learning.course.passing.status.updated.v1"
pytestmark = pytest.mark.django_db


def template(name: str) -> BadgeTemplate:
    return BadgeTemplate.objects.create(name=name, providers=[], is_active=True)


def requirement(of: BadgeTemplate, key: str, path: str = "is_passing") -> BadgeRequirement:
    row = BadgeRequirement.objects.create(template=of, key=key, event_type=PASSING)
    row.rules.create(path=path, operator="eq", value="true")
    return row


@pytest.fixture
def sound() -> BadgeTemplate:
    row = template("Sound")
    requirement(row, "passed")
    return row


def test_a_path_that_is_gone_disables_its_requirement_only(sound: BadgeTemplate) -> None:
    mixed = template("Mixed")
    requirement(mixed, "gone", path="was_once_there")
    requirement(mixed, "passed")
    book = rulebook.load(version=1)
    disabled = {each.key: each.disabled for each in book.templates[mixed.pk].requirements}
    assert disabled == {"gone": True, "passed": False}
    assert not book.templates[sound.pk].requirements[0].disabled
    (warning,) = stored_rules_fit()
    assert "was_once_there" in warning.msg


def test_an_event_type_that_is_not_configured_any_more(sound: BadgeTemplate) -> None:
    BadgeRequirement.objects.filter(template=sound).update(event_type="org.openedx.gone.v1")
    assert rulebook.load(version=1).templates[sound.pk].requirements[0].disabled


def test_a_circle_takes_its_template_out(sound: BadgeTemplate) -> None:
    circle = template("Circle")
    one, two = requirement(circle, "one"), requirement(circle, "two")
    one.after.add(two)
    two.after.add(one)
    assert set(rulebook.load(version=1).templates) == {sound.pk}
