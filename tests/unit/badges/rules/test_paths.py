from datetime import datetime
from typing import Optional, Union
from uuid import UUID

import attrs
import pytest
from opaque_keys import OpaqueKey
from opaque_keys.edx.keys import CourseKey

from badges.rules.paths import KeyPath, Kind, key_paths


@attrs.frozen
class Node:
    """A record inside itself."""

    name: str
    parent: Optional["Node"] = None


attrs.resolve_types(Node, globals(), locals())


@attrs.frozen
class Everything:
    text: str
    whole: int
    number: float
    flag: bool
    moment: datetime
    uid: UUID
    key: OpaqueKey
    course: CourseKey
    many: list[str]
    mapping: dict[str, int]
    either: int | str
    maybe: int | None
    old_maybe: Optional[str]  # noqa: UP045 -- openedx-events writes it so
    three: Union[int, str, None]  # noqa: UP007 -- and so
    strange: complex
    node: Node | None = None


@pytest.fixture(autouse=True)
def _read_anew() -> None:
    key_paths.cache_clear()


@pytest.mark.parametrize(
    ("path", "kind", "declared"),
    [
        ("text", Kind.TEXT, str),
        ("whole", Kind.NUMBER, int),
        ("number", Kind.NUMBER, float),
        ("flag", Kind.BOOLEAN, bool),
        ("moment", Kind.DATETIME, datetime),
        ("uid", Kind.KEY, UUID),
        ("key", Kind.KEY, OpaqueKey),
        ("course", Kind.KEY, CourseKey),
        ("many", Kind.OBJECT, object),
        ("mapping", Kind.OBJECT, object),
        ("either", Kind.OBJECT, object),
        ("maybe", Kind.NUMBER, int),
        ("old_maybe", Kind.TEXT, str),
        ("three", Kind.OBJECT, object),
        ("strange", Kind.OBJECT, object),
        ("node", Kind.OBJECT, Node),
        ("node.name", Kind.TEXT, str),
        ("metadata.time", Kind.DATETIME, datetime),
        ("metadata.source", Kind.TEXT, str),
        ("metadata.sourcehost", Kind.TEXT, str),
    ],
)
def test_each_path_has_the_kind_of_its_type(path: str, kind: Kind, declared: type) -> None:
    assert key_paths(Everything)[path] == KeyPath(path, kind, declared)


def test_paths_come_in_the_order_of_declaration_the_metadata_last() -> None:
    paths = list(key_paths(Everything))
    assert paths[:3] == ["text", "whole", "number"]
    assert paths[-3:] == ["metadata.time", "metadata.source", "metadata.sourcehost"]


def test_a_record_inside_itself_is_opened_once() -> None:
    assert [path for path in key_paths(Everything) if path.startswith("node")] == [
        "node",
        "node.name",
        "node.parent",
    ]
