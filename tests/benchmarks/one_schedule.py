"""A worker's process that runs one schedule against the platform at an address; says how much
memory it took.
"""

import json
import sys

import django

django.setup()

from django.conf import settings  # noqa: E402 -- Django has to be set up first

from certificates.models import EligibilitySchedule  # noqa: E402
from tests.benchmarks.one_batch import megabytes  # noqa: E402
from tests.benchmarks.schedules import work  # noqa: E402


def main(schedule_id: str, url: str) -> None:
    settings.PLATFORM_API_BASE_URL = url
    settings.PLATFORM_API_CLIENT_ID = settings.PLATFORM_API_CLIENT_SECRET = "bench"
    work(EligibilitySchedule.objects.get(pk=schedule_id))
    print(json.dumps(megabytes()))


if __name__ == "__main__":
    main(*sys.argv[1:])
