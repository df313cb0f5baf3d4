"""Workers that can be killed: a process that has loaded everything and forks one after the other.

Reads a line, does what it says, answers with a line: `award N` learners at Credly, `revoke N` of
them, `certify N` learners, `work` (the pid of a worker, and once it has ended another line with its
exit status), `look` (JSON).
"""

import json
import os
import sys
from datetime import datetime, timedelta
from typing import Any

import django

_LONG = timedelta(days=100)
_STEP = timedelta(minutes=5)  # so that what failed at about the same time is tried together


def main() -> None:
    django.setup()
    from django.db import connection

    from credentials.models import BadgeTemplate, Learner
    from tests import awards

    for line in sys.stdin:
        verb, _, number = line.partition(" ")
        if verb == "award":
            awards.decide(awards.offer(awards.GLOBEX), awards.enroll(int(number)))
            _say("done")
        elif verb == "certify":
            awards.decide(awards.offer_certificate(), awards.enroll(int(number)))
            _say("done")
        elif verb == "revoke":
            some = list(Learner.objects.order_by("pk")[: int(number)])
            badge = BadgeTemplate.objects.get(uuid=awards.template_id(awards.GLOBEX))
            awards.decide(badge, some, complete=False)
            _say("done")
        elif verb.strip() == "look":
            _say(json.dumps(_found(), default=str))
        else:
            connection.close()  # each process has its own
            pid = os.fork()
            if not pid:
                _work()
                os._exit(0)
            _say(str(pid))
            _say(str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])))


def _work() -> None:
    """Until nothing is left to do. Waits are skipped, as nobody else is at work."""
    from django.db.models import Max, Min
    from django.utils import timezone

    from certificates import delivery
    from credentials import worker
    from credentials.models import CredlyOrganization, Issuance

    ahead = timedelta()

    def clock() -> datetime:
        return timezone.now() + ahead

    while True:
        worker.carry_out_due(clock=clock)
        delivery.work_due(clock=clock)
        waiting = Issuance.objects.aggregate(first=Min("next_attempt_at"))["first"]
        told = delivery.next_due(before=clock() + _LONG)
        if waiting is None and told is None:
            return
        first = min(each for each in (waiting, told) if each is not None)
        if CredlyOrganization.objects.exclude(paused_reason="").exists():
            raise RuntimeError("the account is paused")
        opens = CredlyOrganization.objects.aggregate(opens=Max("breaker_until"))["opens"]
        ahead = max(ahead, max(first, opens or first) + _STEP - timezone.now())


def _found() -> Any:
    from django.db.models import F

    from credentials.models import Issuance

    rows = Issuance.objects.order_by("pk")
    return list(
        rows.values(
            "state",
            "external_id",
            "last_error",
            "leased_until",
            live=F("credential__live"),
            key=F("certificate__verify_uuid"),
            size=F("certificate__size"),
            shown=F("certificate__state"),
            mail=F("certificate__mail__state"),
            learner=F("credential__learner__uuid"),
        )
    )


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    main()
