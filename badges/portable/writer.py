"""Definitions as the text of a file.

The text depends on the definitions alone: organizations and templates by uuid, requirements and
penalties by id, rules in their order. What is always written: every required key and `reissue`,
`name_policy`, `requirements`, `penalties`, `rules`. What is left out when it says nothing: an empty
`description`, `group`, `distinct_by`, `within`, `after`, `api_key_env` or `organization`, a `count`
of 1, a group of which 1 is `required`, the `value` of an operator that takes none.
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

import yaml
from yaml.resolver import Resolver

from badges.portable.definitions import (
    VERSION,
    OrganizationDef,
    PenaltyDef,
    RequirementDef,
    RuleDef,
    TemplateDef,
)
from badges.rules.operators import OPERATORS, Takes

# Words that need no quotes: they begin with a letter and hold nothing that YAML could mean.
_PLAIN: Final = re.compile(r"[^\W\d_]([\w ./+-]*[\w./+-])?")
_SHORT: Final = frozenset({"y", "n"})  # booleans to other readers of YAML 1.1
# Characters that YAML wants escaped, or that no editor shows.
_HIDDEN: Final = re.compile(
    "[\\x7f-\\xa0\\xad\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff\\ufff0-\\uffff]"
)
_RESOLVER: Final[Any] = Resolver()


def write(*, organizations: Iterable[OrganizationDef], templates: Iterable[TemplateDef]) -> str:
    lines = [f"version: {VERSION}"]
    lines += _list("organizations", map(_organization, organizations))
    lines += _list("templates", map(_template, templates))
    return "\n".join(lines) + "\n"


def _list(name: str, items: Iterable[list[str]]) -> Iterator[str]:
    """Each item is a list of lines; the first gets the dash."""
    written = [
        ("    " if index else "  - ") + line for item in items for index, line in enumerate(item)
    ]
    yield f"{name}:" if written else f"{name}: []"
    yield from written


def _organization(each: OrganizationDef) -> list[str]:
    return [
        f"uuid: {each.uuid}",
        f"provider: {each.provider}",
        f"name: {_text(each.name)}",
        *([f"api_key_env: {_text(each.api_key_env)}"] if each.api_key_env else []),
    ]


def _template(each: TemplateDef) -> list[str]:
    return [
        f"uuid: {each.uuid}",
        f"name: {_text(each.name)}",
        *_optional("description", each.description),
        *([f"organization: {each.organization}"] if each.organization else []),
        f"providers: {_texts(each.providers)}",
        f"is_active: {'true' if each.is_active else 'false'}",
        f"reissue: {each.reissue}",
        f"name_policy: {each.name_policy}",
        *_groups(each.groups),
        *_list("requirements", map(_requirement, each.requirements)),
        *_list("penalties", map(_penalty, each.penalties)),
    ]


def _groups(groups: Iterable[tuple[str, int]]) -> Iterator[str]:
    written = [f"{_text(label)}: {{required: {required}}}" for label, required in groups]
    if written:
        yield f"groups: {{{', '.join(written)}}}"


def _requirement(each: RequirementDef) -> list[str]:
    return [
        f"id: {_text(each.id)}",
        f"event_type: {_text(each.event_type)}",
        *_optional("group", each.group),
        *_optional("description", each.description),
        *([f"count: {each.count}"] if each.count != 1 else []),
        *_optional("distinct_by", each.distinct_by),
        *_optional("within", each.within),
        *([f"after: {_texts(each.after)}"] if each.after else []),
        *_rules(each.rules),
    ]


def _penalty(each: PenaltyDef) -> list[str]:
    return [
        f"id: {_text(each.id)}",
        f"event_type: {_text(each.event_type)}",
        f"resets: {_texts(each.resets)}",
        *_optional("description", each.description),
        *_rules(each.rules),
    ]


def _rules(rules: Iterable[RuleDef]) -> Iterator[str]:
    return _list("rules", ([_rule(each)] for each in rules))


def _rule(each: RuleDef) -> str:
    known = OPERATORS.get(each.operator)
    takes_none = known is not None and known.takes is Takes.NOTHING and not each.value
    value = "" if takes_none else f", value: {_quoted(each.value)}"
    return f"{{path: {_text(each.path)}, operator: {_text(each.operator)}{value}}}"


def _optional(name: str, text: str) -> list[str]:
    return [f"{name}: {_text(text)}"] if text else []


def _texts(items: Iterable[str]) -> str:
    return f"[{', '.join(map(_text, items))}]"


def _text(text: str) -> str:
    """Without quotes where nobody could read it as anything but this text."""
    if _PLAIN.fullmatch(text) and text.lower() not in _SHORT:
        tag = _RESOLVER.resolve(yaml.ScalarNode, text, (True, False))
        if tag == "tag:yaml.org,2002:str":
            return text
    return _quoted(text)


def _quoted(text: str) -> str:
    escaped = json.dumps(text, ensure_ascii=False)
    return _HIDDEN.sub(lambda found: f"\\u{ord(found.group()):04x}", escaped)
