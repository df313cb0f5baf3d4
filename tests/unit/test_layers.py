"""The import contracts cover the whole tree: a new package has to be given a place."""

import tomllib

from tests.servers import ROOT


def test_every_package_stands_under_the_contracts() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    packages = {folder.parent.name for folder in ROOT.glob("*/__init__.py")}
    assert packages == set(contracts["root_packages"])
