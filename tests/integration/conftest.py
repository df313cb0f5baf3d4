"""Which integration tests this run's database can show."""

from django.conf import settings

# Two writers at the same moment: not on SQLite. tests/functional/test_on_postgresql.py runs it.
collect_ignore = (
    ["test_claims_race.py"]
    if settings.DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3"
    else []
)
