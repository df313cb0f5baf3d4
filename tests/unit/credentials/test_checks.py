import sqlite3

import pytest

from credentials.checks import sqlite_knows_the_statements


@pytest.mark.parametrize(("version", "faults"), [((3, 32, 3), 1), ((3, 33, 0), 0)])
def test_an_old_sqlite_is_refused(
    version: tuple[int, int, int], faults: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
    assert len(sqlite_knows_the_statements(databases=["default"])) == faults
    assert sqlite_knows_the_statements(databases=None) == []
