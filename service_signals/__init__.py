"""How apps talk to each other: news that one app tells, handlers that the settings name.

See docs/badges/extending.md. Knows no other app.
"""

from service_signals.arguments import Personal
from service_signals.signal import ServiceSignal

__all__ = ["Personal", "ServiceSignal"]
