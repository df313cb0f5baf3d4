"""Which integration tests this run's database can show."""

from django.db import connection

collect_ignore: list[str] = []
if connection.vendor == "sqlite":
    # Two writers at the same moment. tests/functional/test_on_postgresql.py runs them.
    collect_ignore += [
        "test_claims_race.py",
        "test_edits_race.py",
        "test_issuing_race.py",
        "test_learners_race.py",
    ]
if connection.vendor != "mysql":
    # What only MySQL and MariaDB could get wrong. `./dev test --mariadb` runs it.
    collect_ignore.append("mysql")
