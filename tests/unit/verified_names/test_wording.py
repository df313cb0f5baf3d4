import pytest

from verified_names.wording import MAX_LENGTH, NameRefusedError, clean, same


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("  Ann Lee ", "Ann Lee"),
        ("Łukasz Ñandú-O'Hara", "Łukasz Ñandú-O'Hara"),
        ("李雷", "李雷"),
        ("\u0645\u06cc\u200c\u062e", "\u0645\u06cc\u200c\u062e"),  # with a zero-width non-joiner
        ("Ann & Co.", "Ann & Co."),
        ("x" * MAX_LENGTH, "x" * MAX_LENGTH),
        (None, ""),
        ("  ", ""),
    ],
)
def test_what_is_a_name(text: str | None, name: str) -> None:
    assert clean(text) == name


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("x" * 256, "256 characters"),
        ("Ann\x00", "control"),
        ("Ann\nLee", "control"),
        ("Ann\u2028Lee", "control"),
        ("\u202eeeL nnA", "control"),
        ("\ud800", "control"),
        ("<script>", "markup"),
        ("Ann &lt;Lee", "markup"),
        ("Ann http://x.example", "web address"),
        ("WWW.example.com", "web address"),
        ("javascript:/x", "web address"),
    ],
)
def test_what_is_none(text: str, why: str) -> None:
    with pytest.raises(NameRefusedError, match=why) as refused:
        clean(text)
    assert text not in str(refused.value)


def test_case_spaces_and_encoding_do_not_make_another_name() -> None:
    assert same("Ann  Lee", "ann lee")
    assert same("Zoe\u0308", "Zo\u00eb")
    assert not same("Ann", "Anne")
