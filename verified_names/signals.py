"""What this app tells others."""

from service_signals import ServiceSignal

# A name is new or is not what it was: another status, another text. `status` is one of
# verified_names.folding.Status; void also when the name was taken back. Whoever wants the name
# itself asks verified_names.resolver.resolve_name.
verified_name_changed = ServiceSignal(
    "verified_name_changed", provides={"learner_id": int, "source": str, "status": str}
)
