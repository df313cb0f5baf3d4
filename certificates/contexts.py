"""What a schedule can be about: a course, a lesson, a learning path. Pure."""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, Literal

import attrs
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import CourseKey, UsageKey

_PATHWAY: Final = re.compile(r"[\w.~:+@/-]{1,255}")
_LONGEST: Final = 255
WHAT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "course": "the key of a course (course-v1:Acme+D101+2026)",
        "lesson": "that of one of its blocks (block-v1:Acme+D101+2026+type@sequential+block@final)",
        "pathway": "a key of a learning path, which is free (data-path-2026)",
    }
)
"""What to write, by kind."""


class ContextRefusedError(ValueError):
    """The text is no key of a context; the message says what would be."""


@attrs.frozen
class Context:
    """`key` in canonical form. `home`: the course of a course or lesson, or the path itself."""

    kind: Literal["course", "lesson", "pathway"]
    key: str
    home: str


def wanted(kinds: Iterable[str] = tuple(WHAT)) -> str:
    """What to write for a context of these kinds."""
    return ", or ".join(WHAT[kind] for kind in WHAT if kind in set(kinds))


def parse(text: str) -> Context:
    """Raises ContextRefusedError."""
    text = text.strip()
    if len(text) > _LONGEST:
        raise ContextRefusedError(f"at most {_LONGEST} characters")
    for read in (_course, _lesson):
        try:
            return read(text)
        except InvalidKeyError:
            continue
    looks_like_a_key = text.startswith(("course-v1:", "block-v1:", "i4x:", "ccx-"))
    if looks_like_a_key or not _PATHWAY.fullmatch(text):
        raise ContextRefusedError(f"{text!r} is no key; write {wanted()}")
    return Context("pathway", text, text)


def _course(text: str) -> Context:
    key = str(CourseKey.from_string(text))
    return Context("course", key, key)


def _lesson(text: str) -> Context:
    key = UsageKey.from_string(text)
    if key.course_key.run is None:
        raise InvalidKeyError(UsageKey, text)
    return Context("lesson", str(key), str(key.course_key))
