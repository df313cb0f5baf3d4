"""Settings of the tests: those of the service, with its outside replaced by servers of the tests.

LAUREL_TEST_DATABASE_URL names a PostgreSQL server to run on; without it, SQLite in memory.
"""

from settings import *  # noqa: F403 -- Django's way to build on other settings
from settings import DATABASES, env

_url = env.str("LAUREL_TEST_DATABASE_URL", "")
if _url:
    DATABASES["default"] = env.dj_db_url("LAUREL_TEST_DATABASE_URL")

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Tasks are only hints: tests call the workers themselves.
CELERY_BROKER_URL = "memory://"
EVENT_BUS_TOPICS = []  # each test has a topic of its own
CREDLY_WEBHOOK_SECRET = "webhook-secret-of-the-tests"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
