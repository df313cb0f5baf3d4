"""A consumer's process that has compiled the active rules and processed one batch; says how much
memory it has.
"""

import json
import resource
import sys
from pathlib import Path

import django

django.setup()

from django.utils import timezone  # noqa: E402 -- Django has to be set up first

import celery_app  # noqa: E402, F401
from consumer.batch import decode_all, process  # noqa: E402
from consumer.bus import BatchConsumer  # noqa: E402
from tests.benchmarks import stream  # noqa: E402

_LINUX = Path("/proc/self/status")


def main() -> None:
    BatchConsumer("bench-memory", "bench", "bench")  # all that a consumer imports
    messages = list(stream.messages("bench-memory", events=500, is_passing=False))
    process(decode_all(messages), clock=timezone.now)
    print(json.dumps(megabytes()))


def megabytes() -> dict[str, float]:
    """Resident now, and at the worst moment. Other systems than Linux tell the latter only."""
    if _LINUX.exists():
        lines = (line.split() for line in _LINUX.read_text().splitlines())
        kilobytes = {words[0]: int(words[1]) for words in lines if words[-1] == "kB"}
        return {"resident": kilobytes["VmRSS:"] / 1024, "peak": kilobytes["VmHWM:"] / 1024}
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1024**2
    return {"resident": peak, "peak": peak}


if __name__ == "__main__":
    main()
