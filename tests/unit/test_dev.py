"""The decisions of the `dev` script; what it starts is tried in CI by running it."""

import fcntl
import importlib.util
import os
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest

from tests import programs

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def dev(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script as a module, at work in an empty project."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    loader = SourceFileLoader("dev_script", str(ROOT / "dev"))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    for name in ("ROOT", "VAR", "VENV", "PYTHON", "STAMP", "REQUIREMENTS"):
        moved = tmp_path / getattr(module, name).relative_to(ROOT)
        monkeypatch.setattr(module, name, moved)
    module.REQUIREMENTS.mkdir()
    for name in ("dev.txt", "uv.txt"):
        (module.REQUIREMENTS / name).write_text("attrs==1 --hash=sha256:00\n")
    return module


def make_venv(dev: ModuleType) -> None:
    dev.PYTHON.parent.mkdir(parents=True)
    dev.PYTHON.touch()
    dev.STAMP.write_text(dev.digest())


def test_help_names_every_recipe_on_one_screen(
    dev: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dev.main([]) == 0
    text = capsys.readouterr().out
    for recipe in ("setup", "check", "test", "bench", "demo", "up", "manage", "lock"):
        assert f"./dev {recipe} " in text
    assert len(text.splitlines()) < 24
    assert max(map(len, text.splitlines())) <= 100


def test_an_unknown_recipe_is_refused(dev: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert dev.main(["tset"]) == 2
    assert "./dev test" in capsys.readouterr().err


def test_bytecode_is_kept_elsewhere_where_it_is_unwanted_beside_the_sources(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", {"PYTHONDONTWRITEBYTECODE": "1"})
    dev.keep_bytecode()
    assert os.environ == {"PYTHONPYCACHEPREFIX": str(dev.VAR / "bytecode")}


def test_bytecode_is_otherwise_left_to_python(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", {"PATH": "/bin"})
    dev.keep_bytecode()
    assert os.environ == {"PATH": "/bin"}


@pytest.mark.parametrize("version", [(3, 11), (3, 12), (3, 13)])
def test_a_supported_python(dev: ModuleType, version: tuple[int, int]) -> None:
    dev.ensure_supported(version)


@pytest.mark.parametrize("version", [(3, 10), (3, 14), (4, 0)])
def test_another_python_is_told_which_are_supported(
    dev: ModuleType, version: tuple[int, int]
) -> None:
    with pytest.raises(SystemExit, match=r"needs Python 3\.11, 3\.12 or 3\.13, this is"):
        dev.ensure_supported(version)


def test_a_finished_set_up_is_not_done_again(
    dev: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    make_venv(dev)
    assert dev.setup([]) == 0
    assert capsys.readouterr().out == ""


def test_a_set_up_is_outdated_by_new_requirements(dev: ModuleType) -> None:
    make_venv(dev)
    (dev.REQUIREMENTS / "dev.txt").write_text("attrs==2 --hash=sha256:11\n")
    assert not dev.is_set_up(dev.digest())


def test_a_set_up_is_outdated_by_another_python(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_venv(dev)
    monkeypatch.setattr(sys, "version_info", (3, 99, 0, "final", 0))
    assert not dev.is_set_up(dev.digest())


def test_a_set_up_without_its_python_or_its_stamp_is_unfinished(dev: ModuleType) -> None:
    assert not dev.is_set_up(dev.digest())
    make_venv(dev)
    dev.PYTHON.unlink()
    assert not dev.is_set_up(dev.digest())


def test_a_set_up_that_fails_leaves_no_stamp_and_shows_why(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    make_venv(dev)
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\necho the disk is full\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "_base_executable", str(program))
    with pytest.raises(SystemExit, match="the disk is full"):
        dev.build(dev.digest())
    assert not dev.is_set_up(dev.digest())


def test_a_python_that_cannot_make_environments_is_told_what_to_install(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    find_spec = importlib.util.find_spec
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "ensurepip" else find_spec(name)
    )
    minor = sys.version_info.minor
    with pytest.raises(SystemExit, match=rf"apt install python3\.{minor}-venv"):
        dev.build(dev.digest())


def test_manage_uses_the_redis_of_a_service_that_runs(dev: ModuleType) -> None:
    assert dev.redis_of_running_service() is None
    dev.VAR.mkdir()
    (dev.VAR / "redis.url").write_text("redis://127.0.0.1:1/0")
    with (dev.VAR / "up.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert dev.redis_of_running_service() == "redis://127.0.0.1:1/0"
    assert dev.redis_of_running_service() is None  # killed: the file is still there


@pytest.mark.parametrize(
    ("args", "parallel"),
    [
        ([], True),
        (["tests/unit"], True),
        (["-k", "redis", "-q"], True),
        (["tests/unit/test_dev.py"], False),
        (["tests/unit/test_dev.py::test_a_supported_python"], False),
        (["--pdb"], False),
        (["-n0"], False),
    ],
)
def test_workers_start_where_they_pay(dev: ModuleType, args: list[str], *, parallel: bool) -> None:
    assert bool(dev.parallel_options(args)) is parallel


@pytest.mark.parametrize(
    ("args", "needed"),
    [
        ([], True),
        (["-q", "-k", "admin"], True),
        (["tests"], True),
        (["tests/browser"], True),
        (["tests/browser/test_admin.py::test_login"], True),
        (["tests/unit", "tests/browser"], True),
        (["tests/unit"], False),
        (["tests/unit", "-k", "admin"], False),
    ],
)
def test_a_browser_is_needed_when_its_tests_run(
    dev: ModuleType, args: list[str], *, needed: bool
) -> None:
    for folder in ("unit", "browser"):
        (dev.ROOT / "tests" / folder).mkdir(parents=True)
    (dev.ROOT / "tests" / "browser" / "test_admin.py").touch()
    assert dev.includes_browser_tests(args) is needed


def test_no_browser_is_needed_where_there_are_no_browser_tests(dev: ModuleType) -> None:
    assert not dev.includes_browser_tests([])


def test_a_missing_browser_is_an_error_that_says_what_to_install(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SystemExit, match=r"apt install .*chromium"):
        dev.ensure_chromium()


def test_missing_headers_of_the_driver_are_an_error_that_says_what_to_install(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(programs, "_SERVERS", "")
    with pytest.raises(SystemExit, match=r"apt install .*libmariadb-dev pkg-config gcc$"):
        dev.build_mysql_driver()


def test_what_is_there_is_not_installed(dev: ModuleType) -> None:
    assert programs.missing_packages({"sh": "sh", "no-such": "no-such-program"}) == ["no-such"]
    dev.ensure_packages([], why="nothing is missing")
