import pytest
from hypothesis import given
from hypothesis import strategies as st

from certificates.pdf.fitting import Room, fit, wrap

ROOM = Room(width=100, height=100, size=10, min_size=6, max_lines=3, line_height=1.2)


def measure(text: str) -> float:
    """Each character is as wide as it is high."""
    return float(len(text))


def test_what_fits_stays_as_it_is() -> None:
    fitted = fit("Ann Lee", room=ROOM, measure=measure)
    assert (fitted.lines, fitted.size) == (("Ann Lee",), 10)


def test_a_little_too_long_is_shrunk_to_one_line() -> None:
    fitted = fit("x" * 12, room=ROOM, measure=measure)
    assert len(fitted.lines) == 1
    assert fitted.size == pytest.approx(100 / 12)


def test_much_too_long_is_wrapped_at_full_size_into_equal_lines() -> None:
    fitted = fit("Anna Bob Cida Dora Eve", room=ROOM, measure=measure)
    assert fitted.lines == ("Anna Bob", "Cida", "Dora Eve")  # no line is longer than it must be
    assert fitted.size == 10
    assert fit("aaaa bbbb cc dd ee", room=ROOM, measure=measure).lines == ("aaaa bbbb", "cc dd ee")


def test_words_alone_too_wide_are_cut() -> None:
    assert wrap("abcdefgh ij", width=3, measure=measure) == ("abc", "def", "gh", "ij")


def test_ideographs_need_no_spaces() -> None:
    assert wrap("李雷韩梅梅", width=2, measure=measure) == ("李雷", "韩梅", "梅")


def test_lines_of_its_own_are_kept() -> None:
    assert fit("Ann\nLee", room=ROOM, measure=measure).lines == ("Ann", "Lee")


def test_one_line_only_is_shrunk_as_far_as_it_takes() -> None:
    room = Room(width=100, height=100, size=10, min_size=6, max_lines=1, line_height=1.2)
    fitted = fit("x" * 200, room=room, measure=measure)
    assert (len(fitted.lines), fitted.size) == (1, 0.5)


@given(
    text=st.text(alphabet="ab 李-\n", max_size=150).map(str.strip).filter(bool),
    width=st.floats(5, 400),
    height=st.floats(0, 200),
    size=st.floats(4, 60),
    lines=st.integers(1, 5),
)
def test_everything_always_fits(
    text: str, width: float, height: float, size: float, lines: int
) -> None:
    room = Room(
        width=width, height=height, size=size, min_size=size / 2, max_lines=lines, line_height=1.2
    )
    fitted = fit(text, room=room, measure=measure)
    assert "".join("".join(fitted.lines).split()) == "".join(text.split())
    assert fitted.size <= size
    assert max(map(measure, fitted.lines)) * fitted.size <= width * (1 + 1e-9)
    assert len(fitted.lines) <= max(lines, text.count("\n") + 1)
    assert (len(fitted.lines) - 1) * fitted.size * 1.2 <= height
