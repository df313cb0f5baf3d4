"""In the database of a service, whose environment it is run with.

With the path of an import file: sets the database up and imports. Without: publishes what waits in
the outbox, as the worker would, and prints what there is, as JSON.
"""

import json
import sys
from typing import Any

import django
from django.core.management import call_command


def main() -> None:
    django.setup()
    if len(sys.argv) > 1:
        call_command("migrate", verbosity=0)
        call_command("badges_import", sys.argv[1])
    else:
        json.dump(found(), sys.stdout, default=str)


def found() -> dict[str, Any]:
    from django.utils import timezone

    from badges.models import Decision
    from badges.state import state
    from credentials import outbox
    from credentials.models import OutboxEvent, UserCredential
    from events.models import InboxEvent

    outbox.publish_due(clock=timezone.now)
    of = ("learner__lms_user_id", "template__uuid")
    inbox = InboxEvent.objects.order_by("pk")
    decisions = Decision.objects.order_by("pk")
    credentials = UserCredential.objects.order_by("pk")
    announced = OutboxEvent.objects.order_by("pk")
    return {
        "state": state(),
        "inbox": list(inbox.values_list("event_id", "state", "reason")),
        "attempts": list(inbox.exclude(state="accepted").values_list("event_id", "attempts")),
        "decisions": list(decisions.values_list(*of, "event_id", "outcome")),
        "credentials": list(credentials.values_list(*of, "awarded_by_event", "revoked_by_event")),
        "announced": list(announced.values_list("event_id", "kind", "credential_id")),
    }


if __name__ == "__main__":
    main()
