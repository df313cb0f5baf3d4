"""Settings of the consumers in the fault tests: those of the service, with one handler more and a
slow disk.
"""

from settings import *  # noqa: F403 -- Django's way to build on other settings
from settings import DATABASES, EVENT_HANDLERS, STORAGES, env

STORAGES["default"]["BACKEND"] = "tests.faults.disk.SlowDisk"
EVENT_HANDLERS = [*EVENT_HANDLERS, "tests.faults.handlers.trip"]
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # Seconds to wait for another writer.
    DATABASES["default"]["OPTIONS"]["timeout"] = env.float("FAULTS_SQLITE_TIMEOUT", 30)
