import pytest

from credentials.names import split_name


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("Ann Lee", ("Ann", "Lee")),
        ("Ann Maria van Lee", ("Ann Maria van", "Lee")),
        ("Ann", ("Ann", "Ann")),
        ("李雷", ("李雷", "李雷")),
        ("  ", ("ann", "ann")),
        ("x" * 200 + " " + "y" * 200, ("x" * 100, "y" * 100)),
    ],
)
def test_first_and_last_name(name: str, names: tuple[str, str]) -> None:
    assert split_name(name, "ann") == names
