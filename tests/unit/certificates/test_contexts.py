"""Keys of courses, lessons and learning paths."""

import pytest

from certificates.contexts import ContextRefusedError, parse

COURSE = "course-v1:edX+P1+2024"
LESSON = "block-v1:edX+P1+2024+type@sequential+block@final"


@pytest.mark.parametrize(
    ("text", "kind", "home"),
    [
        (COURSE, "course", COURSE),
        ("edX/P1/2024", "course", "edX/P1/2024"),
        ("ccx-v1:Acme+D101+2026+ccx@1", "course", "ccx-v1:Acme+D101+2026+ccx@1"),
        (LESSON, "lesson", COURSE),
        ("path-v1:edX+Data+2024+all", "pathway", "path-v1:edX+Data+2024+all"),
        ("data-path", "pathway", "data-path"),
        (f"  {COURSE}\n", "course", COURSE),
    ],
)
def test_each_kind_and_whose_instructors_look_after_it(text: str, kind: str, home: str) -> None:
    found = parse(text)
    assert (found.kind, found.key, found.home) == (kind, text.strip(), home)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "two words",
        "course-v1:edX",
        "block-v1:edX+P1",
        "i4x://edX/P1/problem/one",  # says nothing of a run
        "<b>",
        "p" * 256,
        "course-v1:" + "p" * 300,
    ],
)
def test_what_is_no_key_is_refused_with_what_would_be(text: str) -> None:
    with pytest.raises(ContextRefusedError, match=r"write the key of a course|at most 255"):
        parse(text)
