"""What this app tells others."""

from uuid import UUID

from service_signals import ServiceSignal

# A name is new or is not what it was: another status, another text. `status` is one of
# verified_names.folding.Status; void also when the name was taken back. `event_id` is
# what said so, None when an older fact came late and took the name back. Whoever wants the name
# itself asks verified_names.resolver.resolve_name.
verified_name_changed = ServiceSignal(
    "verified_name_changed",
    provides={"learner_id": int, "source": str, "status": str, "event_id": UUID | None},
)
