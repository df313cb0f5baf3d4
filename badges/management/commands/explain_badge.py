"""`explain_badge`: why somebody has, lost or does not yet have a badge."""

import json
from argparse import ArgumentParser
from typing import Any
from uuid import UUID

import attrs
from django.core.management.base import BaseCommand
from django.core.serializers.json import DjangoJSONEncoder

from badges.explain import Explanation, RequirementAnswer, explain
from badges.management.choosing import find_learner, find_template


class Command(BaseCommand):
    help = "Say why a learner has, lost or does not yet have a badge."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--learner", required=True, help="username")
        parser.add_argument("--template", required=True, type=UUID, help="uuid of the template")
        parser.add_argument("--json", action="store_true", help="as data")

    def handle(self, *args: Any, **options: Any) -> None:
        found = explain(find_learner(options["learner"]), find_template(options["template"]))
        if options["json"]:
            text = json.dumps(attrs.asdict(found), cls=DjangoJSONEncoder, indent=1)
        else:
            text = "\n".join(_lines(found))
        self.stdout.write(text)


def _lines(found: Explanation) -> list[str]:
    lines = [f"{found.learner}, {found.template}: {found.verdict}"]
    if found.missing:
        lines.append("Missing:")
        lines += [f"  - {each}" for each in found.missing]
    lines.append("Requirements:")
    for each in found.requirements:
        lines += _requirement(each)
    if found.history:
        lines.append("What happened:")
        lines += [f"  {each}" for each in found.history]
    return lines


def _requirement(each: RequirementAnswer) -> list[str]:
    mark = "met    " if each.fulfilled else "not met"
    group = f" [group {each.group}]" if each.group else ""
    count = f" {each.counted}/{each.demanded}" if each.demanded > 1 else ""
    lines = [f"  {mark} {each.id}{group}{count}: {each.words}"]
    if each.fulfilled and each.at:
        lines.append(
            f"          by event {each.by_event} of {each.at:%Y-%m-%d %H:%M:%S} UTC, "
            f"rules version {each.version}"
        )
    if each.reset_at:
        lines.append(f"          last reset {each.reset_at:%Y-%m-%d %H:%M:%S} UTC")
    if each.near_miss:
        for path, operator, expected, actual in each.near_miss.failed:
            lines.append(
                f"          nearest event {each.near_miss.event_id}: {path} is {actual}, "
                f"expected {operator} {expected}".rstrip()
            )
    return lines
