"""Retrievers and generators of others: found by a setting or an entry point, judged at startup."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from certificates import checks, plugins
from certificates.plugins import UnknownPluginError
from certificates.retrievers.registry import RETRIEVERS

HERE = "tests.unit.certificates.test_plugins"
KIND = RETRIEVERS


class Function:
    contexts: object = frozenset({"course"})
    options_schema: object = {"type": "object", "properties": {}}

    def __call__(self) -> None: ...


class WithoutContexts(Function):
    contexts = None


class OfNoContext(Function):
    contexts = frozenset({"universe"})


class WithoutSchema(Function):
    options_schema = None


good, better = Function(), Function()
without_contexts, of_no_context, without_schema = (
    WithoutContexts(),
    OfNoContext(),
    WithoutSchema(),
)
NOT_A_FUNCTION = 1


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    plugins._loaded.cache_clear()
    yield
    plugins._loaded.cache_clear()


def installed(folder: Path, *, name: str, points: dict[str, str]) -> None:
    """A package with entry points, as an installer leaves it."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = "".join(f"{slug} = {HERE}:{what}\n" for slug, what in points.items())
    (info / "entry_points.txt").write_text(f"[laurel.retrievers]\n{lines}")


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the package `academy` is installed in."""
    installed(
        tmp_path, name="academy", points={"good": "good", "broken": "nothing", "Bad Name": "good"}
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_by_the_setting(settings: Any) -> None:
    settings.ELIGIBILITY_RETRIEVERS = {"mine": f"{HERE}.good"}
    assert plugins.find(KIND, slug="mine") is good
    assert list(plugins.slugs(KIND)) == ["mine"]
    assert checks.plugins_work() == []


def test_by_an_entry_point(settings: Any, package: Path) -> None:
    settings.ELIGIBILITY_RETRIEVERS = {}
    assert plugins.find(KIND, slug="good") is good
    assert list(plugins.slugs(KIND)) == ["good"]
    faults = list(plugins.faults(KIND))
    assert len(faults) == 2
    assert all("in academy" in each for each in faults)
    with pytest.raises(UnknownPluginError, match="'broken' cannot be used: it cannot be imported"):
        plugins.find(KIND, slug="broken")


def test_two_packages_with_one_name(settings: Any, package: Path) -> None:
    settings.ELIGIBILITY_RETRIEVERS = {}
    installed(package, name="bootcamp", points={"good": "better"})
    (fault,) = [each for each in plugins.faults(KIND) if "has the same name" in each]
    assert "in academy" in fault
    assert "in bootcamp" in fault
    assert list(plugins.slugs(KIND)) == []  # nobody can tell which one is meant


def test_the_setting_wins(settings: Any, package: Path) -> None:
    settings.ELIGIBILITY_RETRIEVERS = {"good": f"{HERE}.better"}
    assert plugins.find(KIND, slug="good") is better


def test_every_fault_at_once(settings: Any) -> None:
    settings.ELIGIBILITY_RETRIEVERS = {
        "good": f"{HERE}.good",
        "a": "nowhere.function",
        "b": "nodots",
        "c": f"{HERE}.NOT_A_FUNCTION",
        "d": f"{HERE}.without_schema",
        "e": f"{HERE}.without_contexts",
        "f": f"{HERE}.of_no_context",
        "No slug": f"{HERE}.good",
        "g": None,
    }
    messages = checks.plugins_work()
    assert {each.id for each in messages} == {"certificates.E001"}
    assert all(each.hint for each in messages)
    told = [str(each.msg).partition("] = ")[0].partition("[")[2] for each in messages]
    assert told == ["'a'", "'b'", "'c'", "'d'", "'e'", "'f'", "'No slug'", "'g'"]
    assert list(plugins.slugs(KIND)) == ["good"]


def test_a_setting_that_is_no_mapping(settings: Any) -> None:
    settings.ELIGIBILITY_RETRIEVERS = ["academy.retriever"]
    (message,) = checks.plugins_work()
    assert "ELIGIBILITY_RETRIEVERS" in str(message.msg)
    with pytest.raises(UnknownPluginError, match="'x' is not known"):
        plugins.find(KIND, slug="x")
