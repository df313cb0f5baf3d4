import json

import pytest

from badges.portable.definitions import Faults
from badges.portable.tree import Mapping, Node, Scalar, Sequence, parse


def tree(text: str) -> Mapping:
    parsed = parse(text)
    assert not isinstance(parsed, Faults)
    root, faults = parsed
    assert faults == ()
    assert isinstance(root, Mapping)
    return root


def plain(node: Node) -> object:
    """The tree without lines; every scalar as its text."""
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Sequence):
        return [plain(each) for each in node.items]
    return {key: plain(each) for key, each in node.items.items()}


def faults(text: str) -> list[str]:
    parsed = parse(text)
    found = parsed.faults if isinstance(parsed, Faults) else parsed[1]
    return [str(each) for each in found]


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("010", "int"),
        ("0.90", "float"),
        ("1e3", "str"),
        ("1.5e+3", "float"),
        ("yes", "bool"),
        ("2026-03-01", "timestamp"),
        ("2026-03-01T10:00:00Z", "timestamp"),
        ("course-v1:Acme+D101+2026", "str"),
        ("=", "str"),
        ("<<", "str"),
        ("~", "null"),
    ],
)
def test_scalars_keep_the_text_that_was_written(written: str, kind: str) -> None:
    assert tree(f"a: {written}").items["a"] == Scalar(1, kind, written)


@pytest.mark.parametrize("written", ['"yes"', "'yes'", "!!str yes", "! yes"])
def test_quoted_or_tagged_words_are_text(written: str) -> None:
    assert tree(f"a: {written}").items["a"] == Scalar(1, "str", "yes")


def test_lines_count_from_one() -> None:
    root = tree("a: 1\nb:\n  - c: 2\n\n  # why\n  - d: 3\n")

    b = root.items["b"]
    assert isinstance(b, Sequence)
    assert [each.line for each in b.items] == [3, 6]
    assert root.lines == {"a": 1, "b": 2}


@pytest.mark.parametrize("indent", [None, 2, "\t"])
@pytest.mark.parametrize("ensure_ascii", [True, False])
def test_json_is_read(indent: int | str | None, ensure_ascii: bool) -> None:
    document = {"name": "Ünïted 😀 \\u1234 \t/", "nested": {"list": ["a", "b"], "empty": []}}

    text = json.dumps(document, indent=indent, ensure_ascii=ensure_ascii)

    assert plain(tree(text)) == document


def test_a_byte_order_mark_is_no_content() -> None:
    assert plain(tree("\ufeff{}")) == {}


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", 1, "the file is empty"),
        ("# nothing\n", 1, "the file is empty"),
        ("a: 1\nb: [1, 2\nc: 3\n", 3, "while parsing a flow sequence that began in line 2"),
        ("a: 1\nb:\n\t- c\n", 3, "indent with spaces, not with tabs"),
        ("a: b: c\n", 1, "mapping values are not allowed"),
        ("é: 1\nb: \x07\n", 2, "control character"),
        ("a: 1\n---\nb: 2\n", 2, "a second document"),
        ("a: &x 1\n", 1, "anchors (&) and aliases (*)"),
        ("a: 1\nb: *x\n", 2, "anchors (&) and aliases (*)"),
        ("a: 1\n? [b]\n: c\n", 2, "a key must be text"),
        ('{"a": "\\ud83d"}', 1, "not valid YAML"),
        ("[" * 30, 1, "nested more than 20 levels"),
    ],
)
def test_what_has_no_tree_is_one_fault_with_its_line(text: str, line: int, reason: str) -> None:
    (fault,) = faults(text)

    assert fault.startswith(f"line {line}: ")
    assert reason in fault


def test_a_key_that_stands_twice_is_a_fault() -> None:
    assert faults("a:\n  - b: 1\n    c: 2\n    b: 3\n") == [
        "line 4: a[0].b: stands twice; the first is in line 2"
    ]


@pytest.mark.parametrize("tag", ["!!binary abc", "!!python/name:os.system", "!mine {b: 1}"])
def test_tags_are_faults_and_do_nothing(tag: str) -> None:
    (fault,) = faults(f"a: {tag}")

    assert fault.startswith("line 1: a: the tag ")
